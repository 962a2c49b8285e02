import copy
import math
import pickle

import pytest

from scripe import __version__
from scripe._core import config
from scripe._core.config import Options, Secret
from scripe.errors import ConfigurationError
from scripe.types import NOT_GIVEN
from tests.core.examples import KEY


def test_without_options_the_documented_defaults_hold() -> None:
    options = Options()
    assert (options.base_url, options.api_version) == ("https://api.scripe.io/v1", "2026-08-01")
    assert options.timeout == 60.0
    assert options.total_timeout is None
    assert options.max_retries == 2
    assert (options.workspace_id, options.allow_insecure) == (None, False)


def test_the_version_is_pinned_on_every_call_and_the_user_agent_names_sdk_and_application() -> None:
    assert Options().headers == {
        "Accept": "application/json",
        "Accept-Encoding": "gzip, deflate",
        "User-Agent": f"scripe-python/{__version__}",
        "Scripe-Api-Version": "2026-08-01",
    }
    assert Options(app_info="studio/2.1").headers["User-Agent"] == f"scripe-python/{__version__} studio/2.1"
    assert Options(api_version="2026-11-01").headers["Scripe-Api-Version"] == "2026-11-01"


def test_the_workspace_is_sent_only_when_it_is_set() -> None:
    assert "Scripe-Workspace-Id" not in Options().headers
    assert Options(workspace_id="org_1").headers["Scripe-Workspace-Id"] == "org_1"


def test_an_extra_header_replaces_ours_of_the_same_name() -> None:
    headers = Options(extra_headers={"user-agent": "mine", "X-Trace": "7"}).headers
    assert headers["X-Trace"] == "7"
    assert [text for name, text in headers.items() if name.lower() == "user-agent"] == ["mine"]


@pytest.mark.parametrize(
    "name",
    ["Authorization", "IDEMPOTENCY-KEY", "scripe-api-version", "Scripe-Workspace-Id", "Content-Type", "Host"],
)
def test_extra_headers_never_set_what_the_client_sets(name: str) -> None:
    with pytest.raises(ConfigurationError, match="extra_headers"):
        Options(extra_headers={name: "x"})


@pytest.mark.parametrize("name", ["", "a b", "a:b", "a\n", "é"])
def test_a_name_that_is_not_a_header_is_refused(name: str) -> None:
    with pytest.raises(ConfigurationError, match="extra_headers"):
        Options(extra_headers={name: "x"})


@pytest.mark.parametrize("text", ["", "a\r\nX-Evil: 1", "a\n", " a", "a ", "é", "a\x00"])
def test_no_option_smuggles_a_line_or_a_strange_character_into_the_headers(text: str) -> None:
    for options in ({"workspace_id": text}, {"api_version": text}, {"app_info": text}):
        with pytest.raises(ConfigurationError):
            config.with_changes(Options(), options, NOT_GIVEN)
    with pytest.raises(ConfigurationError, match="X-Trace"):
        Options(extra_headers={"X-Trace": text})


def test_a_value_of_an_extra_header_is_not_repeated_where_it_is_refused() -> None:
    """It may be a token for a proxy."""
    with pytest.raises(ConfigurationError, match="X-Trace") as caught:
        Options(extra_headers={"X-Trace": "hush-123\n"})
    assert "hush" not in str(caught.value)


@pytest.mark.parametrize("seconds", [0, -1.0, math.inf, math.nan, 1e10])
def test_seconds_are_above_zero_and_finite(seconds: float) -> None:
    with pytest.raises(ConfigurationError, match="timeout"):
        Options(timeout=seconds)
    with pytest.raises(ConfigurationError, match="total_timeout"):
        Options(total_timeout=seconds)


def test_none_means_no_limit_of_time() -> None:
    assert Options(timeout=None, total_timeout=None).timeout is None
    assert Options(timeout=0.001, total_timeout=5).total_timeout == 5


def test_seconds_given_as_text_are_refused_as_an_error_of_ours() -> None:
    with pytest.raises(ConfigurationError, match="timeout"):
        config.with_changes(Options(), {"timeout": "60"}, NOT_GIVEN)


@pytest.mark.parametrize("count", [-1, 1.5, True, "2", None])
def test_max_retries_is_a_whole_number_from_zero_up(count: object) -> None:
    assert Options(max_retries=0).max_retries == 0
    with pytest.raises(ConfigurationError, match="max_retries"):
        config.with_changes(Options(), {"max_retries": count}, NOT_GIVEN)


@pytest.mark.parametrize(
    "url",
    [
        "https://api.scripe.io/v1",
        "https://api.scripe.io:8443",
        "http://localhost:8787/v1",
        "http://api.localhost",
        "http://127.0.0.1:1",
        "http://127.8.8.8",
        "http://[::1]:8787",
        "HTTP://LOCALHOST",
    ],
)
def test_https_and_plain_http_to_this_machine_are_accepted(url: str) -> None:
    assert Options(base_url=url).base_url == url


@pytest.mark.parametrize(
    "url",
    ["http://api.scripe.io/v1", "http://localhost.evil.io", "http://10.0.0.1", "http://127.0.0.1.evil.io"],
)
def test_nothing_goes_over_plain_http_to_another_machine_unless_allowed(url: str) -> None:
    with pytest.raises(ConfigurationError, match="allow_insecure"):
        Options(base_url=url)
    assert Options(base_url=url, allow_insecure=True).allow_insecure


@pytest.mark.parametrize(
    "url",
    [
        "",
        "api.scripe.io/v1",
        "ftp://api.scripe.io",
        "https://",
        "https:///v1",
        "https://[bad",
        "https://host:port",
        "https://host:99999",
        "https://host/?q=1",
        "https://host/#f",
        "https://h\u00f6st",
        "https://host/a b",
        "https://host/\x7f",
        "https://host/\n",
    ],
)
def test_a_text_that_is_not_a_base_url_is_refused(url: str) -> None:
    with pytest.raises(ConfigurationError, match="base_url"):
        Options(base_url=url)


@pytest.mark.parametrize("url", ["https://me@host/v1", "https://me:hush@host", "https://:hush@host"])
def test_a_base_url_holds_no_credentials(url: str) -> None:
    with pytest.raises(ConfigurationError, match="base_url") as caught:
        Options(base_url=url)
    assert "hush" not in str(caught.value)


@pytest.mark.parametrize(
    "url", ["https://me:hush@host?q", "https://me:a@hush@host?q", "https://me:@hush:a@host/#f"]
)
def test_a_refused_base_url_is_shown_without_its_password(url: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        Options(base_url=url)
    assert "hush" not in str(caught.value)


@pytest.mark.parametrize("url", ["http://[bad/key", "https://[bad"])
def test_a_link_that_is_not_a_url_raises_an_error_of_scripe(url: str) -> None:
    with pytest.raises(ConfigurationError):
        config.check_secure_url(url, allow_insecure=False, name="upload_url")


def test_a_presigned_link_over_plain_http_is_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"upload_url.*allow_insecure"):
        config.check_secure_url("http://storage/key?sig=hush", allow_insecure=False, name="upload_url")
    config.check_secure_url("http://storage/key", allow_insecure=True, name="upload_url")
    config.check_secure_url("https://storage/key", allow_insecure=False, name="upload_url")


def test_a_given_base_url_comes_before_the_environment_and_that_before_the_default(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert config.resolve_base_url(None) == config.BASE_URL
    monkeypatch.setenv("SCRIPE_BASE_URL", " https://staging/v1/ ")
    assert config.resolve_base_url(None) == "https://staging/v1"
    assert config.resolve_base_url("https://mine/v1/") == "https://mine/v1"
    monkeypatch.setenv("SCRIPE_BASE_URL", "")
    assert config.resolve_base_url(None) == config.BASE_URL


def test_a_given_workspace_comes_before_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    assert config.resolve_workspace_id(None) is None
    monkeypatch.setenv("SCRIPE_WORKSPACE_ID", "org_2")
    assert config.resolve_workspace_id(None) == "org_2"
    assert config.resolve_workspace_id("org_1") == "org_1"
    monkeypatch.setenv("SCRIPE_WORKSPACE_ID", "")
    assert config.resolve_workspace_id(None) is None


def test_a_given_key_comes_before_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCRIPE_API_KEY", "from-environment")
    assert config.resolve_api_key(Secret(KEY)).reveal() == KEY
    assert config.resolve_api_key(Secret(None)).reveal() == "from-environment"


def test_blanks_around_a_pasted_key_go() -> None:
    assert config.resolve_api_key(Secret(f" {KEY}\n")).reveal() == KEY


def test_api_keys_of_any_prefix_are_accepted() -> None:
    assert config.resolve_api_key(Secret("oauth.token_1")).reveal() == "oauth.token_1"


def test_no_key_at_all_is_refused_with_the_way_to_get_one() -> None:
    with pytest.raises(ConfigurationError, match="SCRIPE_API_KEY"):
        config.resolve_api_key(Secret(None))


@pytest.mark.parametrize("given", ["", "  "])
def test_an_empty_key_is_refused_and_never_replaced_by_the_environments(
    given: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SCRIPE_API_KEY", "another-workspace")
    with pytest.raises(ConfigurationError, match="SCRIPE_API_KEY"):
        config.resolve_api_key(Secret(given))


@pytest.mark.parametrize("key", ["a b", "a\nb", "a\u2028b", "cl\u00e9", "a\x00b", "a\x7f"])
def test_a_text_that_is_not_an_api_key_is_refused_and_not_shown(key: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        config.resolve_api_key(Secret(key))
    assert key not in str(caught.value)


def test_an_api_key_that_is_not_a_str_is_refused() -> None:
    with pytest.raises(ConfigurationError):
        config.resolve_api_key(Secret(b"scripe_sk_live_1"))


def test_a_function_that_returns_api_keys_is_distinguished_from_a_key() -> None:
    def ask() -> str:
        return KEY

    assert config.callable_api_key(Secret(ask)) is ask
    assert config.callable_api_key(Secret(KEY)) is None


def test_a_secret_is_shown_nowhere_but_survives_pickle_and_copies() -> None:
    secret = Secret(KEY)
    assert KEY not in f"{secret} {secret!r} {[secret]}"
    assert pickle.loads(pickle.dumps(secret)).reveal() == KEY
    assert copy.deepcopy(secret).reveal() == KEY


def test_what_was_not_given_stays_and_headers_are_added() -> None:
    options = Options(timeout=5.0, max_retries=1, extra_headers={"X-One": "1"})
    assert config.with_changes(options, {"timeout": NOT_GIVEN, "max_retries": 7}, NOT_GIVEN) == Options(
        timeout=5.0, max_retries=7, extra_headers={"X-One": "1"}
    )
    assert config.with_changes(options, {"timeout": None}, NOT_GIVEN).timeout is None
    assert config.with_changes(options, {}, {"X-Two": "2"}).extra_headers == {"X-One": "1", "X-Two": "2"}


def test_a_header_given_again_in_another_case_replaces_the_first() -> None:
    options = config.with_changes(Options(extra_headers={"X-Trace": "1"}), {}, {"x-trace": "2"})
    assert [text for name, text in options.headers.items() if name.lower() == "x-trace"] == ["2"]


def test_options_are_checked_when_they_change_and_pickle() -> None:
    with pytest.raises(ConfigurationError, match="total_timeout"):
        config.with_changes(Options(), {"total_timeout": -1}, NOT_GIVEN)
    options = Options(extra_headers={"X-One": "1"}, workspace_id="org_1")
    assert pickle.loads(pickle.dumps(options)) == options


@pytest.mark.parametrize(
    ("base_url", "host"),
    [
        ("https://api.scripe.io/v1", "api.scripe.io"),
        ("https://API.Scripe.io:443/v1", "api.scripe.io"),
        ("http://127.0.0.1:80/v1", "127.0.0.1"),
        ("http://127.0.0.1:8787/v1", "127.0.0.1:8787"),
        ("https://[::1]:80/v1", "[::1]:80"),
        ("https://[::1]/v1", "[::1]"),
        ("https://h:0443/v1", "h"),
        ("https://h:/v1", "h"),
    ],
)
def test_the_host_of_every_call(base_url: str, host: str) -> None:
    assert Options(base_url=base_url).host == host
