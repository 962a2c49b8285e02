"""Random schedules of calls, faults and time, checked step by step against a model of the API."""
