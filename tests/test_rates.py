from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from time import tzset

import pytest

from prose_data.llm.rates import retry_after, seconds_to_wait


def soon(seconds: float) -> datetime:
    return datetime.now(UTC) + timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "3"}, 3),
        ({"retry-after": "0.25"}, 0.25),
        ({"retry-after": "3", "retry-after-ms": "120"}, 0.12),
        ({"retry-after-ms": "soon", "retry-after": "2"}, 2),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "-1"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": ""}, None),
        ({}, None),
    ],
)
def test_retry_after_is_read_in_every_form(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after(headers) == seconds


def test_a_date_is_the_time_until_then() -> None:
    ahead = retry_after({"retry-after": format_datetime(soon(30), usegmt=True)})
    assert ahead is not None and 27 < ahead <= 30
    assert retry_after({"retry-after": format_datetime(soon(-30), usegmt=True)}) == 0


def test_a_date_without_a_zone_is_in_utc_wherever_this_machine_is(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "XXX-9")
        tzset()
        seconds = retry_after({"retry-after": format_datetime(soon(30).replace(tzinfo=None))})
    tzset()
    assert seconds is not None and 27 < seconds <= 30


@pytest.mark.parametrize(
    ("reset", "seconds"),
    [
        ("1s", 1),
        ("6m0s", 360),
        ("20ms", 0.02),
        ("1h2m3.5s", 3723.5),
        ("7", 7),
        ("", 0),
        ("soon", 0),
        ("1s or so", 0),
    ],
)
def test_the_time_until_there_is_room_is_read_in_every_form(reset: str, seconds: float) -> None:
    headers = {"x-ratelimit-remaining-tokens": "0", "x-ratelimit-reset-tokens": reset}
    assert seconds_to_wait(headers) == pytest.approx(seconds)


def test_headers_of_other_makers_and_the_longer_of_two_waits_count() -> None:
    iso = {
        "anthropic-ratelimit-requests-remaining": "0",
        "anthropic-ratelimit-requests-reset": soon(9).isoformat(),
    }
    assert 7 < seconds_to_wait(iso) <= 9
    assert seconds_to_wait({"ratelimit-remaining": "0", "ratelimit-reset": "4"}) == 4
    both = {"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "2s"}
    assert seconds_to_wait(both | {"ratelimit-remaining": "0", "ratelimit-reset": "4"}) == 4
    assert seconds_to_wait({"x-ratelimit-remaining-requests": "5", "x-ratelimit-reset-requests": "2s"}) == 0
    assert seconds_to_wait({}) == 0
