"""Method names with parameters: what they change, and that each wrong one is one sentence."""

import asyncio
from pathlib import Path

import pytest

from prose_data.config import Config, parse_config
from prose_data.errors import InputError
from prose_data.methods import METHODS
from prose_data.methods.named import base, check_names, configured, make
from prose_data.own import inferring
from prose_data.stages import run_all


def test_a_plain_name_goes_by_the_configuration_as_it_is() -> None:
    config = Config()
    assert base("prose") == "prose" and configured("prose", config) is config
    assert all(make(name, config).infers == METHODS[name](config).infers for name in METHODS)


def test_parameters_replace_keys_of_the_methods_section_alone() -> None:
    config = parse_config({"prose": {"retrieve": 2, "steps": 4}, "cipher": {"retrieve": 3}}, "test")
    changed = configured("prose_icl:threshold=0.25,verify=false,stop=[unchanged,judged_equal]", config)
    assert changed.prose.model_dump(exclude={"candidates", "breakdown"}) == {
        "steps": 4,
        "threshold": 0.25,
        "retrieve": 2,
        "verify": False,
        "stop": ("unchanged", "judged_equal"),
    }
    assert changed.model_copy(update={"prose": config.prose}) == config
    assert configured("cipher_n:retrieve=7", config).cipher.retrieve == 7
    assert configured("prose:breakdown=off,steps=null", config).prose.breakdown == "off"
    assert base("prose_icl:threshold=0.25") == "prose_icl"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("prosa:steps=3", "methods: 'prosa' is not known; use some of .*prose"),
        ("oracle:steps=3", "methods: 'oracle' is not known"),
        ("prose:", "method prose:: no parameter follows the colon; write prose:KEY=VALUE"),
        ("prose:steps", "method prose:steps: 'steps' must look like KEY=VALUE"),
        ("prose:steps=", "method prose:steps=: 'steps=' must look like"),
        ("prose:=3", "method prose:=3: '=3' must look like"),
        ("prose:steps=3,", "method prose:steps=3,: '' must look like"),
        ("prose:steps=3,,verify=no", "'' must look like"),
        ("prose:steps=3,steps=3", "method prose:steps=3,steps=3: steps is there twice"),
        ("prose:steps= 3", "method 'prose:steps= 3': must not hold white space"),
        ("prose:steps=3\n", "must not hold white space"),
        ("prose:step=3", "method prose:step=3: prose.step is not a known key; did you mean steps"),
        ("prose:steps=three", "prose.steps is 'three': must be a whole number"),
        ("prose:steps=0", "method prose:steps=0: prose.steps is 0: must be greater than or equal to 1"),
        ("prose:threshold=2", "prose.threshold is 2: must be less than 2"),
        ("prose:threshold=nan", "prose.threshold is 'nan': must be a finite number"),
        ("prose:threshold=.nan", "prose.threshold is nan: must be a finite number"),
        ("prose:candidates=some", "prose.candidates is 'some': must be 'iterate', 'single' or 'none'"),
        ("prose:stop=[unchanged,unchanged]", "prose.stop: unchanged is listed twice"),
        ("prose:steps=[", "the value of steps is not valid YAML"),
        ("prose:steps=!!python/name:os.system", "the value of steps is not valid YAML"),
        ("prose:steps=" + "[" * 3000, "the value of steps is not valid YAML"),
        ("prose_nv:verify=true", "method prose_nv:verify=true: verify is what makes prose_nv"),
        ("prose_1sc:steps=3", "steps is what makes prose_1sc"),
        ("no_learning:retrieve=3", "method no_learning:retrieve=3: no_learning takes no parameters"),
        ("icl:retrieve=3", "icl takes no parameters"),
    ],
)
def test_a_wrong_name_is_one_sentence(name: str, words: str) -> None:
    for refused in (lambda: make(name, Config()), lambda: check_names([name], Config())):
        with pytest.raises(InputError, match=words) as error:
            refused()
        assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("prose:steps=3,threshold=0", "prose:threshold=0,steps=3"),
        ("prose:threshold=0.5", "prose:threshold=.50"),
        ("prose:verify=no", "prose:verify=false"),
        ("prose", "prose:retrieve=5"),
    ],
)
def test_two_spellings_of_one_method_are_refused(one: str, other: str) -> None:
    with pytest.raises(InputError, match=r"^methods: .* and .* are the same; list one of them$"):
        check_names(["no_learning", one, "oracle", other], Config())
    check_names(["no_learning", one, "oracle", "prose_nv"], Config())


def test_a_method_with_parameters_has_rows_of_its_own_and_asks_by_them(tmp_path: Path) -> None:
    names = ("prose:steps=1,verify=false", "prose:steps=2")
    data = {"methods": names, "seeds": [0], "users": {"count": 1}, "samples": {"per_user": 2}, "metrics": []}
    run = asyncio.run(run_all(parse_config(data, "test"), tmp_path / "run"))
    calls = run.read("inferences").select("method", "calls").rows()
    assert {method for method, _ in calls} == set(names)
    most = {name: max(n for method, n in calls if method == name) for name in names}
    assert most[names[0]] <= 4 < most[names[1]], "a merge, a draft, one comparison, a breakdown"


def test_own_writing_takes_parameters_too() -> None:
    assert inferring("prose:steps=2", Config()).infers
    with pytest.raises(InputError, match=r"^method prose:step=2: prose\.step is not a known key"):
        inferring("prose:step=2", Config())
    with pytest.raises(InputError, match=r"^--method prosa:steps=2: is not a method; use "):
        inferring("prosa:steps=2", Config())
