"""What people see: bars of progress (`work`, `bars`, `terminal`, `notebook`), and HTML in notebooks (`html`, `cards`).

Loaded only by those who look: when `show_progress=True` is asked for, or when a notebook shows an object.
"""
