"""PostgreSQL is killed, cut off, slow, or replaced by its standby."""

from tests.chaos.check import Promise
from tests.chaos.stage import WINDOW, Stage, new_database
from tests.support.postgres import Server
from tests.support.waiting import until

SLOW_S = 0.02


def unsure(stage: Stage) -> Promise:
    """The answers of commits may be lost with the connection: see docs/guarantees.md."""
    in_flight = 2 * WINDOW * stage.length.rounds
    return Promise(in_flight=in_flight, in_order=False, commits_may_be_unknown=True, within_s=90)


def postgres_killed(stage: Stage) -> Promise:
    server = stage.started_server()
    stage.open(new_database(server))
    with stage.load() as load:
        for _ in stage.rounds():
            stage.note("PostgreSQL is killed")
            server.kill()
            stage.pause(0.2, 1.5)
            server.start()
            stage.note("it is back")
            stage.grows(load.told.accepted, "messages are accepted")
    return unsure(stage)


def postgres_cut(stage: Stage) -> Promise:
    """Connections are reset, then refused, then go dead without a word for longer than a statement may take."""
    server = stage.started_server()
    line = stage.line(server.port)
    stage.open(new_database(server).replace(str(server.port), str(line.port)))
    with stage.load() as load:
        for n in stage.rounds():
            fault = (line.reset, line.cut, line.freeze)[n % 3]
            stage.note(f"the line to PostgreSQL: {fault.__name__}")
            fault()
            stage.pause(*((6, 8) if fault == line.freeze else (0.5, 1.5)))
            line.mend()
            stage.note("mended")
            stage.grows(load.told.accepted, "messages are accepted")
    return unsure(stage)


def postgres_slow(stage: Stage) -> Promise:
    """Each answer of the server takes 40 ms longer."""
    server = stage.started_server()
    line = stage.line(server.port)
    stage.open(new_database(server).replace(str(server.port), str(line.port)))
    with stage.load():
        for _ in stage.rounds():
            stage.note("PostgreSQL is slow")
            line.delay = SLOW_S
            stage.pause(3, 5)
            line.delay = 0
            stage.note("as before")
    return Promise()


# --- a standby takes over -----------------------------------------------------------------


def pair(stage: Stage) -> tuple[Server, Server]:
    """A primary, and a standby without whose word it commits nothing."""
    primary, standby = stage.server(), stage.server()
    primary.start()
    standby.follow(primary)
    primary.ask("ALTER SYSTEM SET synchronous_standby_names = '*'")
    primary.ask("SELECT pg_reload_conf()")
    until(lambda: primary.ask("SELECT sync_state FROM pg_stat_replication") == "sync", "the standby is synchronous")
    return primary, standby


def failover(stage: Stage) -> Promise:
    """The primary is lost under load, and the standby is promoted. The address names both."""
    primary, standby = pair(stage)
    places = f"127.0.0.1:{primary.port},127.0.0.1:{standby.port}"
    url = new_database(primary).replace(f"127.0.0.1:{primary.port}", places) + "?target_session_attrs=read-write"
    stage.open(url)
    with stage.load() as load:
        stage.pause(0.1, 1.2)
        stage.note("the primary is killed")
        primary.kill()
        stage.grows(load.told.refused, "callers are refused")
        stage.note("the standby is promoted")
        standby.ask("SELECT pg_promote()")
        stage.grows(load.told.accepted, "messages are accepted")
        stage.note("messages are accepted")
    return unsure(stage)


def failover_by_address(stage: Stage) -> Promise:
    """One address, which is moved to the standby while that can only be read."""
    primary, standby = pair(stage)
    line = stage.line(primary.port)
    stage.open(new_database(primary).replace(str(primary.port), str(line.port)))
    with stage.load() as load:
        stage.pause(0.1, 1.2)
        stage.note("the primary is killed")
        primary.kill()
        line.target = standby.port
        line.reset()
        stage.note("the address leads to the standby, which is read-only")
        stage.grows(load.told.refused, "callers are refused")
        stage.pause(1, 2)
        stage.note("the standby is promoted")
        standby.ask("SELECT pg_promote()")
        stage.grows(load.told.accepted, "messages are accepted")
        stage.note("messages are accepted")
    return unsure(stage)
