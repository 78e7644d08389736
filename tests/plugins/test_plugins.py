from __future__ import annotations

import subprocess
import sys
import textwrap
import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import click
import pytest
from structlog.testing import capture_logs

from chatferry import Connector, Conversation, Lead, Strategy, __version__, hookimpl
from chatferry.emulators import Emulator
from chatferry.errors import PluginError
from chatferry.plugins import PluginReport, Plugins, PluginState
from chatferry.plugins.manager import BATCH_TIME_LIMIT

PERSONAL = "ada@example.com"

CONNECTOR = """
    from chatferry import Connector, hookimpl

    class Crm(Connector):
        name = "{name}"
        def deliver(self, leads): return []
        def check(self): return []

    @hookimpl
    def register_connectors():
        return [Crm]
"""


class Site:
    """A folder of installed distributions, on the path of this process."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.modules: list[str] = []

    def install(
        self,
        module: str,
        code: str,
        *,
        name: str = "",
        target: str = "",
        dist: str = "",
        requires: str = "chatferry",
    ) -> None:
        """Lay down a module and the metadata pip would write for its distribution."""
        dist = dist or module.replace("_", "-")
        (self.folder / f"{module}.py").write_text(textwrap.dedent(code))
        info = self.folder / f"{dist.replace('-', '_')}-1.2.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {dist}\nVersion: 1.2\nRequires-Dist: {requires}\n"
        )
        (info / "entry_points.txt").write_text(f"[chatferry]\n{name or module} = {target or module}\n")
        self.modules.append(module)


@pytest.fixture
def site(tmp_path, monkeypatch):
    site = Site(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    yield site
    for module in site.modules:
        sys.modules.pop(module, None)


def report(plugins: Plugins, name: str) -> PluginReport:
    return next(found for found in plugins.reports if found.name == name)


def lead() -> Lead:
    talk = Conversation(id="c1", platform="ha", client_id=1, closed_at=datetime(2026, 1, 1, tzinfo=UTC))
    return Lead(key=talk.key, contact_key=PERSONAL, email=PERSONAL, conversation=talk)


def named(name: str, **hooks) -> SimpleNamespace:
    """A plugin made of functions, as a module would be."""
    marked = {hook: hookimpl(function) for hook, function in hooks.items()}
    return SimpleNamespace(__name__=name, **marked)


def crm(name: object, **attributes: object) -> type[Connector]:
    body = {"name": name, "deliver": lambda *_: [], "check": lambda _: [], **attributes}
    return type("Crm", (Connector,), body)


# ------------------------------------------------------------------------------ what is found


def test_what_is_built_in_comes_through_the_same_door():
    plugins = Plugins.load()
    assert {"markers", "profile", "contact", "transcript"} <= set(plugins.strategies)
    assert report(plugins, "chatferry").version == __version__
    assert report(plugins, "chatferry").hooks == ("register_strategies", "register_emulators")


def test_an_installed_plugin_is_reported_with_its_origin_hooks_and_window(site):
    site.install("ferry_good", CONNECTOR.format(name="good"), name="good", requires="chatferry>=0.1,<99")
    plugins = Plugins.load()
    assert plugins.connectors["good"].__module__ == "ferry_good"
    assert report(plugins, "good") == PluginReport(
        name="good",
        distribution="ferry-good",
        version="1.2",
        hooks=("register_connectors",),
        window="<99,>=0.1",
    )


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("import nowhere_at_all", "ModuleNotFoundError at ferry_bad:1 (No module named 'nowhere_at_all')"),
        ("\nraise RuntimeError('ada@example.com')", "RuntimeError at ferry_bad:2"),
        ("import sys\nsys.exit('bye')", "SystemExit at ferry_bad:2"),
        ("def (", "SyntaxError at "),
    ],
)
def test_a_plugin_that_fails_to_import_stops_no_other(site, code, reason):
    site.install("ferry_bad", code, name="a_bad")
    site.install("ferry_good", CONNECTOR.format(name="good"), name="good")
    plugins = Plugins.load()
    assert "good" in plugins.connectors
    assert report(plugins, "a_bad").state is PluginState.BROKEN
    assert reason in report(plugins, "a_bad").reason
    assert PERSONAL not in report(plugins, "a_bad").reason
    assert report(plugins, "a_bad") in plugins.broken


def test_a_plugin_that_hangs_at_import_holds_up_neither_the_others_nor_the_exit(site):
    site.install("ferry_slow", "import time\ntime.sleep(3600)", name="a_slow")
    site.install("ferry_good", CONNECTOR.format(name="good"), name="good")
    code = textwrap.dedent(f"""
        import sys
        sys.path.insert(0, {str(site.folder)!r})
        from chatferry.plugins import Plugins
        plugins = Plugins.load(import_timeout=1)
        print([(r.name, r.state.value) for r in plugins.reports if r.name in ("a_slow", "good")])
    """)
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert "[('a_slow', 'hung'), ('good', 'ok')]" in done.stdout


def test_one_entry_point_name_in_two_distributions_refuses_both(site):
    site.install("ferry_one", CONNECTOR.format(name="one"), name="same")
    site.install("ferry_two", CONNECTOR.format(name="two"), name="same")
    plugins = Plugins.load()
    both = [found for found in plugins.reports if found.name == "same"]
    assert [found.state for found in both] == [PluginState.REFUSED, PluginState.REFUSED]
    assert "ferry-one (ferry_one) and ferry-two (ferry_two)" in both[0].reason
    assert not {"ferry_one", "ferry_two"} & set(sys.modules)


def test_a_distribution_that_is_listed_twice_is_one_plugin(site, tmp_path, monkeypatch):
    site.install("ferry_good", CONNECTOR.format(name="good"), name="good")
    again = Site(tmp_path / "again")
    again.folder.mkdir()
    again.install("ferry_good", CONNECTOR.format(name="good"), name="good", dist="ferry-good-again")
    monkeypatch.syspath_prepend(again.folder)
    plugins = Plugins.load()
    assert [found.state for found in plugins.reports if found.name == "good"] == [PluginState.OK]


def test_nobody_else_may_be_called_chatferry(site):
    site.install("ferry_thief", CONNECTOR.format(name="thief"), name="chatferry")
    plugins = Plugins.load()
    assert "thief" not in plugins.connectors
    assert "markers" in plugins.strategies


@pytest.mark.parametrize("window", ["chatferry>=98,<99", "Chatferry<0.0.1"])
def test_a_plugin_made_for_another_version_is_refused_unimported(site, window):
    site.install("ferry_old", "raise RuntimeError", name="old", requires=window)
    found = report(Plugins.load(), "old")
    assert found.state is PluginState.REFUSED
    assert f"and this is {__version__}" in found.reason


@pytest.mark.parametrize("requires", ["requests", 'chatferry<0.0.1; extra == "x"', "not a requirement !!"])
def test_a_plugin_that_asks_for_no_version_is_loaded(site, requires):
    site.install("ferry_free", CONNECTOR.format(name="free"), name="free", requires=requires)
    assert report(Plugins.load(), "free").state is PluginState.OK


def test_an_entry_point_to_a_class_is_refused_with_a_hint(site):
    site.install("ferry_class", "class Hooks: pass", name="cls", target="ferry_class:Hooks")
    found = report(Plugins.load(), "cls")
    assert found.state is PluginState.BROKEN
    assert "name the module" in found.reason


def test_a_misspelt_hook_names_the_plugin_and_the_nearest_hook(site):
    site.install(
        "ferry_typo", CONNECTOR.format(name="typo").replace("register_con", "regster_con"), name="typo"
    )
    found = report(Plugins.load(), "typo")
    assert found.state is PluginState.BROKEN
    assert found.reason == 'regster_connectors is no hook; did you mean "register_connectors"?'


def test_a_hook_with_a_foreign_argument_is_reported():
    found = report(Plugins.load(extra=[named("odd", engine_started=lambda sort: sort)]), "odd")
    assert found.state is PluginState.BROKEN
    assert "sort" in found.reason


def test_a_disabled_plugin_is_not_imported(site):
    site.install("ferry_off", "raise RuntimeError", name="off")
    plugins = Plugins.load(disabled=["off"])
    assert report(plugins, "off").state is PluginState.DISABLED
    assert "off" not in {found.name for found in plugins.broken}


def test_a_misspelt_disabled_plugin_is_reported(site):
    site.install("ferry_pipe", CONNECTOR.format(name="pipe"), name="pipedrive")
    found = report(Plugins.load(disabled=["pipdrive"]), "pipdrive")
    assert found.reason == 'disabled, but not installed; did you mean "pipedrive"?'


# ------------------------------------------------------------------------- what is registered


def raises(*_, **__):
    raise KeyError(PERSONAL)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (raises, "register_connectors raised KeyError at "),
        (lambda: None, "register_connectors returned nothing; return a list"),
        (lambda: crm("x"), "returned a ABCMeta; return a list"),
        (lambda: [crm("x")({}, None)], "a Crm is no class"),
        (lambda: [dict], "dict is no subclass of chatferry.Connector"),
        (lambda: [type("Half", (Connector,), {"name": "x"})], "Half does not implement check, deliver"),
        (lambda: [crm("")], "Crm has no name"),
        (lambda: [crm(3)], "Crm has no name"),
        (lambda: [crm("x"), crm("x")], "two classes have one name"),
        (lambda: [crm("x", Settings=dict)], "Crm.Settings is no marshmallow Schema"),
        (lambda: [crm("x", batch_size=0)], "Crm.batch_size is not a number from 1"),
        (lambda: [crm("x", timeout=0)], "Crm.timeout is not a number of seconds"),
        (lambda: [crm("x", mapping=["contact"])], "Crm.mapping is no mapping"),
        (lambda: [crm("x", modes=["overwrite"])], "Crm.modes holds something else"),
    ],
)
def test_nonsense_from_register_connectors_takes_the_plugin_out(answer, reason):
    plugins = Plugins.load(extra=[named("bad", register_connectors=answer, engine_stopping=raises)])
    found = report(plugins, "bad")
    assert found.state is PluginState.BROKEN
    assert reason in found.reason
    assert PERSONAL not in found.reason
    with capture_logs() as logs:
        plugins.notify("engine_stopping")
    assert logs == []


def test_two_plugins_with_one_connector_name_are_both_refused():
    one = named("one", register_connectors=lambda: [crm("same"), crm("mine")])
    two = named("two", register_connectors=lambda: [crm("same")])
    plugins = Plugins.load(extra=[one, two])
    assert not {"same", "mine"} & set(plugins.connectors)
    assert report(plugins, "one").state is report(plugins, "two").state is PluginState.REFUSED
    assert report(plugins, "two").reason == '"same" is registered by one and two; disable or remove one'


def test_the_plugin_whose_entry_point_has_the_name_keeps_it():
    own = named("same", register_connectors=lambda: [crm("same")])
    thief = named("thief", register_connectors=lambda: [crm("same"), crm("mine")])
    for order in ([own, thief], [thief, own]):
        plugins = Plugins.load(extra=order)
        assert report(plugins, "same").state is PluginState.OK
        assert report(plugins, "thief").state is PluginState.REFUSED
        assert "same" in plugins.connectors
        assert "mine" not in plugins.connectors


def test_a_connector_that_is_named_unlike_its_entry_point_is_refused(site):
    site.install("ferry_other", CONNECTOR.format(name="good"), name="other")
    plugins = Plugins.load()
    assert report(plugins, "other").state is PluginState.BROKEN
    assert (
        'is named "good" and its entry point "other"; give both one name' in report(plugins, "other").reason
    )
    assert "good" not in plugins.connectors


def test_a_plugin_cannot_take_a_built_in_strategy_over():
    thief = type("Thief", (Strategy,), {"name": "markers", "extract": lambda *_: []})
    plugins = Plugins.load(extra=[named("thief", register_strategies=lambda: [thief])])
    assert report(plugins, "thief").state is PluginState.REFUSED
    assert plugins.strategies["markers"] is not thief


def test_what_is_broken_is_logged_when_it_is_loaded():
    with capture_logs() as logs:
        Plugins.load(extra=[named("bad", register_connectors=raises)])
    assert {"plugin": "bad", "state": "broken", "log_level": "error"}.items() <= logs[-1].items()
    assert PERSONAL not in str(logs)


# ------------------------------------------------------------------------------- while it runs


def test_a_notified_plugin_that_raises_is_logged_and_the_next_one_hears():
    heard = []
    plugins = Plugins.load(
        extra=[
            named("bad", delivery_failed=raises),
            named("good", delivery_failed=lambda destination, dead: heard.append((destination, dead))),
        ]
    )
    with capture_logs() as logs:
        plugins.notify("delivery_failed", lead=lead(), destination="sales", error=None, dead=True)
    assert heard == [("sales", True)]
    assert logs[0]["plugin"] == "bad"
    assert logs[0]["reason"].startswith("delivery_failed raised KeyError at ")
    assert PERSONAL not in str(logs)
    assert report(plugins, "bad").state is PluginState.OK
    assert report(plugins, "bad").reason == logs[0]["reason"]


def test_a_plugin_that_raises_at_every_lead_does_not_get_a_line_for_each():
    plugins = Plugins.load(extra=[named("bad", delivery_failed=raises)])
    with capture_logs() as logs:
        for _ in range(50):
            plugins.notify("delivery_failed", lead=lead(), destination="sales", error=None, dead=True)
        assert [line["plugin"] for line in logs] == ["bad"]
        plugins.sum_up()
    assert logs[-1]["event"] == "plugins failed again"
    assert logs[-1]["count"] == 49
    assert [kind.partition(" raised")[0] for kind in logs[-1]["details"]] == [
        "bad, delivery_failed: delivery_failed"
    ]
    assert sum(plugins.failures.take().values()) == 50


def test_only_hooks_that_notify_can_be_notified():
    with pytest.raises(ValueError, match="veto_delivery is not one of"):
        Plugins.load().notify("veto_delivery")


def test_a_veto_is_given_under_the_name_of_its_plugin():
    gate = named("gate", veto_delivery=lambda lead: "no consent" if lead.email else None)
    plugins = Plugins.load(extra=[named("mute", veto_delivery=lambda: None), gate])
    assert plugins.veto(lead(), "sales") == "gate: no consent"


def test_no_veto_is_a_consent():
    assert Plugins.load().veto(lead(), "sales") is None


@pytest.mark.parametrize("answer", [raises, lambda: True])
def test_a_veto_that_fails_is_no_consent(answer):
    plugins = Plugins.load(extra=[named("gate", veto_delivery=answer)])
    with pytest.raises(PluginError, match="gate: veto_delivery") as caught:
        plugins.veto(lead(), "sales")
    assert PERSONAL not in str(caught.value)


def test_a_hook_that_hangs_is_given_up_and_heals_when_it_comes_back():
    go, calls = threading.Event(), []

    def hang() -> None:
        calls.append(1)
        go.wait(30)

    plugins = Plugins.load(extra=[named("slow", engine_stopping=hang)], hook_timeout=0.05)
    with capture_logs() as logs:
        plugins.notify("engine_stopping")
        plugins.notify("engine_stopping")
    assert len(calls) == 1
    assert [line["reason"] for line in logs] == ["engine_stopping did not return within 0.05 s"]
    assert report(plugins, "slow").state is PluginState.HUNG
    go.set()
    while report(plugins, "slow").state is PluginState.HUNG:
        time.sleep(0.001)
    plugins.notify("engine_stopping")
    assert len(calls) == 2
    assert report(plugins, "slow").state is PluginState.OK


def test_a_veto_that_hangs_never_becomes_a_consent():
    go = threading.Event()
    slow = named("slow", veto_delivery=lambda: go.wait(30) and None)
    plugins = Plugins.load(extra=[slow], hook_timeout=0.05)
    for words in ("did not return within", "has not returned from an earlier call"):
        with pytest.raises(PluginError, match=words):
            plugins.veto(lead(), "sales")
    go.set()


# -------------------------------------------------------------------- commands and emulators


def test_plugins_add_commands_and_none_takes_anothers():
    serve = click.Command("serve")
    cli = click.Group("chatferry", {"serve": serve})
    plugins = Plugins.load(
        extra=[
            named("bad", register_commands=raises),
            named("thief", register_commands=lambda cli: cli.add_command(click.Command("serve"))),
            named("good", register_commands=lambda cli: cli.add_command(click.Command("good"))),
        ]
    )
    with capture_logs() as logs:
        plugins.register_commands(cli)
    assert cli.commands["serve"] is serve
    assert "good" in cli.commands
    assert [line["plugin"] for line in logs] == ["bad", "thief"]
    assert report(plugins, "thief").reason == "register_commands replaces serve; use names of its own"


def test_emulators_are_asked_for_only_when_needed():
    mine = Emulator(name="mine", summary="A stand-in.", create=click.Group)
    asked = []
    good = named("good", register_emulators=lambda: asked.append(1) or [mine])
    plugins = Plugins.load(
        extra=[named("bad", register_emulators=raises), named("odd", register_emulators=lambda: [3]), good]
    )
    assert asked == []
    with capture_logs() as logs:
        found = plugins.emulators()
    assert found["mine"] is mine
    assert {"bad", "odd"} <= {line["plugin"] for line in logs}


def test_the_first_emulator_of_a_name_keeps_it():
    one, two = (Emulator(name="same", summary=summary, create=click.Group) for summary in "12")
    plugins = Plugins.load(
        extra=[named("one", register_emulators=lambda: [one]), named("two", register_emulators=lambda: [two])]
    )
    assert plugins.emulators()["same"] is one
    assert report(plugins, "two").reason == 'register_emulators: there is an emulator "same" already'


def test_the_iadvize_emulator_is_built_in():
    assert "iadvize" in Plugins.load().emulators()


def test_a_slow_plugin_is_not_told_the_rest_of_a_batch_and_the_others_are():
    seconds = [0.0]
    heard = []

    def slow(conversation):
        seconds[0] += BATCH_TIME_LIMIT / 2
        heard.append(("slow", conversation))

    def quick(conversation):
        heard.append(("quick", conversation))

    plugins = Plugins.load(
        extra=[named("slow", conversation_synced=slow), named("then", conversation_synced=quick)],
        clock=lambda: seconds[0],
    )
    told = [("conversation_synced", {"conversation": number}) for number in range(5)]
    plugins.notify_each(told)
    assert heard == [("slow", 0), ("slow", 1), *(("quick", number) for number in range(5))]
    (failure,) = plugins.failures.take()
    assert failure.reason == "conversation_synced took 30 s for a batch and was not notified of the rest"
    plugins.notify_each(told[:1])
    assert heard[-2:] == [("slow", 0), ("quick", 0)]
