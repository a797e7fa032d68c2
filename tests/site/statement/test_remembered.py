from askfirst_site.statement.remembered import Remembered


def test_value_is_made_once_for_a_moment(settings):
    settings.ASKFIRST_REMEMBER_S = 60.0
    made, kept = iter(["first", "second"]), Remembered()
    assert [kept.get("key", lambda: next(made)) for _time in range(2)] == ["first", "first"]
    assert kept.get("other", lambda: next(made)) == "second"


def test_value_is_made_anew_after_it(settings):
    settings.ASKFIRST_REMEMBER_S = 0.0
    made, kept = iter(["first", "second"]), Remembered()
    assert [kept.get("key", lambda: next(made)) for _time in range(2)] == ["first", "second"]


def test_failure_is_not_kept(settings):
    settings.ASKFIRST_REMEMBER_S = 60.0
    kept = Remembered()
    for _time in range(2):
        try:
            kept.get("key", lambda: 1 // 0)
        except ZeroDivisionError:
            continue
        raise AssertionError
    assert kept.get("key", lambda: 1) == 1
