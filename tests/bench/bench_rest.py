"""What it takes to do nothing: memory at rest, the time to be ready, and a thousand runs that wait."""
import os
import pathlib
import signal
import time

import plant
import play
from bench_small import paused
from report import measured

NAME = "rest"
ROWS = [
    ("memory at rest, all processes of ours", "MiB", "at most 40 (proportional set size)", None),
    ("cold start to ready, PostgreSQL and nginx up", "s", "at most 0.5", None),
    ("memory that 1,000 parked runs add", "MiB", "at most 5, and no process", None),
]
PIPELINES = 10
AT_REST_S = 5
BETWEEN_STARTS_S = 20  # ./start gives up on what ends five times within a minute


def started_at(pid):
    """When a process began, on the clock that counts from the boot."""
    fields = pathlib.Path("/proc/%d/stat" % pid).read_text(encoding="ascii").rsplit(")", 1)[1].split()
    return int(fields[19]) / plant.TICKS


def cold_start(house):
    """Ends catchmentd in good order; ./start starts it again. Answers seconds from its start to the first good answer."""
    daemon = house.stack.program("catchmentd")
    before, = house.stack.processes(daemon)
    api = play.Api(house.stack.url)
    os.kill(before, signal.SIGTERM)
    play.until(lambda: not play.alive(before), 60, "catchmentd ends", 0.001)
    play.until(lambda: api("GET", "/readyz", raw=True).status == 200, 60, "it is ready again", 0.002)
    ready = time.clock_gettime(time.CLOCK_BOOTTIME)
    return ready - started_at(house.stack.processes(daemon)[0])


def waiting(stack, places):
    tenants = ",".join(place.tenant for place in places)
    row, = stack.sql("SELECT count(*) FILTER (WHERE state = 'waiting'), count(*) FILTER (WHERE state IN ('pending', 'running')) "
                     "FROM collect.collector_executions WHERE tenant_id = ANY ('{%s}')" % tenants)
    return [int(cell) for cell in row]


def parked(house):
    """MiB that all processes have more once so many runs wait for an hour, and processes more."""
    stack = house.stack
    stage = plant.Plant(house, [plant.pipeline("p%02d" % i) for i in range(PIPELINES)])
    places = plant.at_once(4, lambda _: stage.install("refused"), range(5 if house.short else 100))
    paused(stack, places, True)
    plant.at_once(4, lambda place: place.ask_all(), places)
    time.sleep(AT_REST_S)
    before = house.own_processes()
    memory = house.memory_mib(before)
    paused(stack, places, False)
    play.until(lambda: waiting(stack, places) == [len(places) * PIPELINES, 0], 300, "all runs wait", 0.5)
    time.sleep(AT_REST_S)
    after = house.own_processes()
    return house.memory_mib(after) - memory, len(after) - len(before)


def bench(house):
    memory, starts = [], []
    for i in range(2 if house.short else 3):
        if i > 0:
            time.sleep(BETWEEN_STARTS_S)
        starts.append(cold_start(house))
        house.stack.own_runner()
        time.sleep(AT_REST_S)
        memory.append(house.memory_mib(house.own_processes()))
    n = len(house.own_processes())
    more, processes = parked(house)
    return [measured(ROWS[0], memory, held=lambda mib: mib <= 40, note="%d processes" % n),
            measured(ROWS[1], starts, held=lambda s: s <= 0.5),
            measured(ROWS[2], [more], held=lambda mib: mib <= 5 and processes <= 0,
                     note="%+d processes" % processes)]
