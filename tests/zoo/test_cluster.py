"""A folder of photos on a Ray cluster of two workers, one of which is killed in the middle."""

import hashlib
import importlib.util
import os
import socket
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

import zoo
from tests.conftest import ROOT, free_port, size_of
from zoo.__main__ import main
from zoo.batch import Job, paint_all, plan_outputs
from zoo.beside import beside, new_part
from zoo.errors import ClusterError

HERE = all(importlib.util.find_spec(name) for name in ("ray", "pyarrow", "pandas"))
needs_ray = pytest.mark.skipif(not HERE, reason="Ray is not installed: pip install 'missing-ingredient[cluster]'")
MEMORY = 100 * 2**20  # of each node's object store: rows of a manifest are small


@pytest.fixture
def folder(tmp_path, photo) -> Path:
    """Forty photos in two folders, one of which is none."""
    root = tmp_path / "photos"
    for k in range(40):
        path = root / f"{k % 2}" / f"{k:02}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        with Image.open(photo) as image:
            image.resize((96, 80)).save(path)
    (root / "0" / "04.jpg").write_bytes(b"no picture")
    return root


@pytest.fixture(scope="module")
def cluster():
    """A head that computes nothing, and two nodes of one core; one says that it has a GPU."""
    port = free_port()
    head = {"num_cpus": 0, "include_dashboard": False, "object_store_memory": MEMORY, "ray_client_server_port": port}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        patch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]))
        from ray.cluster_utils import Cluster

        made = Cluster(initialize_head=True, head_node_args=head)
        made.from_outside = f"ray://127.0.0.1:{port}"
        made.workers = [made.add_node(num_cpus=1, num_gpus=gpus, object_store_memory=MEMORY) for gpus in (1, 0)]
        yield made
        made.shutdown()


def manifest(out: Path) -> list[dict]:
    import pyarrow.parquet as pq

    return sorted(pq.read_table(out / "manifest.parquet").to_pylist(), key=lambda row: row["photo"])


def deadly(batch, *args):
    """What a worker does, which dies of the photo 05.jpg, and leaves a mark."""
    from zoo import cluster

    real = zoo.batch.open_photo

    def open_photo(path, *rest, **more):
        if path.name == "05.jpg":
            with open(path.with_suffix(".deaths"), "a") as deaths:
                deaths.write("x")
            os._exit(1)
        return real(path, *rest, **more)

    zoo.batch.open_photo = open_photo
    return cluster._paint(batch, *args)


@needs_ray
@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # Ray's own
def test_a_photo_that_workers_die_of_is_given_up(cluster, small_pair, folder, tmp_path, monkeypatch):
    """All but the last have died of it before, as a worker takes seconds to start."""
    from zoo import cluster as module

    monkeypatch.setenv("RAY_ADDRESS", cluster.address)
    monkeypatch.setattr(module, "_paint", deadly)
    out, bad = tmp_path / "out", folder / "1" / "05.jpg"
    plan = plan_outputs([folder / "1"], out)[:5]
    out.mkdir()
    module._tries(dict(plan)[bad]).write_bytes(b"." * (module.DEATHS - 1))
    outcomes = list(module.paint_on_cluster(Job(zoo.find(small_pair), size=64, device="cpu"), plan, False, "ray", out))
    assert sorted(outcome.photo for outcome in outcomes) == [photo for photo, _ in plan]
    assert [(outcome.photo.name, outcome.error) for outcome in outcomes if outcome.error] == [
        ("05.jpg", "3 workers died of it")
    ]
    assert len(list(out.iterdir())) == 4 + 1  # pictures, manifest
    assert bad.with_suffix(".deaths").read_text() == "x"


class PretendedGpu:
    """A worker that has a GPU, which is none."""

    def __init__(self, job, *args):
        assert job.device == "cuda"
        self.args = replace(job, device="cpu"), *args

    def __call__(self, batch):
        from zoo import cluster

        return cluster._paint(batch, *self.args)


@needs_ray
@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_where_there_are_gpus_they_paint(cluster, small_pair, folder, tmp_path, monkeypatch):
    from zoo import cluster as module

    monkeypatch.setenv("RAY_ADDRESS", cluster.address)
    monkeypatch.setattr(module, "_GpuWorker", PretendedGpu)
    monkeypatch.setattr(module, "_paint", None)
    plan = plan_outputs([folder / "1"], tmp_path / "out")[:5]
    outcomes = list(module.paint_on_cluster(Job(zoo.find(small_pair), size=64), plan, False, "ray", tmp_path / "out"))
    assert sorted(outcome.target for outcome in outcomes if not outcome.error) == [target for _, target in plan]


@needs_ray
@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # Ray's own
def test_a_worker_is_killed_in_the_middle(cluster, small_pair, folder, tmp_path, capsys):
    """All photos are painted all the same, each has its row, and the same command again has nothing left to do."""
    from zoo.cluster import paint_on_cluster

    out = tmp_path / "out"
    job, plan = Job(zoo.find(small_pair), size=64, device="cpu"), plan_outputs([folder], out)
    outcomes, killed = [], False
    for outcome in paint_on_cluster(job, plan, False, cluster.address, out):
        outcomes.append(outcome)
        if not killed:
            killed = True
            cluster.remove_node(cluster.workers.pop(), allow_graceful=False)
    assert sorted(outcome.photo for outcome in outcomes) == [photo for photo, _ in plan]
    assert [outcome.photo.name for outcome in outcomes if outcome.error] == ["04.jpg"]
    rows = manifest(out)
    assert [row["photo"] for row in rows] == [str(photo) for photo, _ in plan]
    for row, (_, target) in zip(rows, plan, strict=True):
        if row["error"]:
            assert "cannot read 04.jpg" in row["error"] and row["sha256"] is None and not target.exists()
            continue
        assert row["picture"] == str(target) and size_of(target) == (64, 53) and row["seconds"] >= 0
        content = target.read_bytes()
        assert (row["sha256"], row["size"]) == (hashlib.sha256(content).hexdigest(), len(content))
    assert not [path for path in out.rglob(".*")]
    assert all(outcome.skipped or outcome.error for outcome in paint_all(job, plan))  # the same rule here and there

    times = {target: target.stat().st_mtime_ns for target in out.rglob("*.png")}
    words = ["stylize", folder, "-s", small_pair, "-o", out, "--size", 64, "--device", "cpu"]
    assert main([str(word) for word in (*words, "--on", cluster.from_outside)]) == 3
    err = capsys.readouterr().err
    assert "39 of 40 photos were painted before" in err and "error: 1 of 40 photos failed" in err
    assert times == {target: target.stat().st_mtime_ns for target in out.rglob("*.png")}
    assert [row["skipped"] for row in manifest(out)].count(True) == 39


@needs_ray
@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_deaths_are_counted_where_nothing_else_is_left_to_count_them(tmp_path):
    from zoo import cluster

    plan = [(tmp_path / f"{k}.jpg", tmp_path / "out" / f"{k}.png") for k in range(2)]
    dying = [cluster._counted(plan[:1]) for _ in range(cluster.DEATHS)]  # which are entered and never left
    assert [each.__enter__() for each in dying] == [[]] * cluster.DEATHS
    with cluster._counted(plan) as given_up:
        assert given_up == plan[:1]
    with cluster._counted(plan) as given_up:
        assert given_up == [] and len(list((tmp_path / "out").iterdir())) == 2
    assert not list((tmp_path / "out").iterdir())


@needs_ray
@pytest.mark.filterwarnings("ignore")
def test_whoever_paints_after_a_death_tidies_up(small_pair, folder, tmp_path):
    """A worker that is killed leaves half a picture, and the mark that it died; or the mark alone, beside a whole one."""
    from zoo import cluster

    job, plan = Job(zoo.find(small_pair), size=64, device="cpu"), plan_outputs([folder], tmp_path / "out")[:2]
    batch = {"photo": [str(photo) for photo, _ in plan], "picture": [str(target) for _, target in plan]}
    for _, target in plan:
        target.parent.mkdir(parents=True, exist_ok=True)
        cluster._tries(target).write_bytes(b".")
        new_part(target).write_bytes(b"half")
    new_part(other := plan[0][1].with_name("other.png")).write_bytes(b"somebody else's")
    for skipped in (False, True):
        rows = cluster._paint(batch, job, str(small_pair), False).to_pylist()
        assert [row["skipped"] for row in rows] == [skipped] * 2 and all(size_of(target) == (64, 53) for _, target in plan)
        (left,) = (tmp_path / "out").rglob(".*")
        assert left.name.startswith(beside(other, ".").name)
        cluster._tries(plan[0][1]).write_bytes(b".")


@needs_ray
@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_on_a_gpu_one_by_one_once_a_worker_died(small_pair, folder, tmp_path, monkeypatch):
    from zoo import cluster

    together = []
    monkeypatch.setattr(cluster, "paint_all", lambda job, plan, again: together.append(len(plan)) or [])
    monkeypatch.setattr(Job, "has_painted", lambda self, photo, target: False)
    job, plan = Job(zoo.find(small_pair), device="cuda"), plan_outputs([folder], tmp_path)[:4]
    batch = {"photo": [str(photo) for photo, _ in plan], "picture": [str(target) for _, target in plan]}
    cluster._paint(batch, job, str(small_pair), False)
    dying = cluster._counted(plan)
    dying.__enter__()
    cluster._paint(batch, job, str(small_pair), False)
    assert together == [4, 1, 1, 1, 1]


@needs_ray
@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_a_name_that_no_table_holds_is_told(small_pair, tmp_path):
    from zoo import cluster

    plan = [(Path(os.fsdecode(b"/photos/caf\xe9.jpg")), tmp_path / "a.png")]
    (outcome,) = cluster.paint_on_cluster(Job(zoo.find(small_pair)), plan, False, "ray", tmp_path / "out")
    assert "no UTF-8" in outcome.error and not (tmp_path / "out").exists()


@needs_ray
@pytest.mark.slow
def test_a_manifest_holds_what_was_written_when_the_work_ended(tmp_path):
    from zoo import cluster

    row = dict.fromkeys(cluster.SCHEMA.names) | {"photo": "a.jpg"}
    with pytest.raises(KeyboardInterrupt), cluster._manifest(tmp_path / "out" / cluster.MANIFEST) as write:
        for _ in range(2500):
            write([row])
        raise KeyboardInterrupt
    assert len(manifest(tmp_path / "out")) == 2500 and len(list((tmp_path / "out").iterdir())) == 1


def test_without_ray_one_plain_line(small_pair, folder, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert main(["stylize", str(folder), "-s", str(small_pair), "-o", str(tmp_path / "out"), "--on", "ray"]) == 2
    assert "missing-ingredient[cluster]" in capsys.readouterr().err


@needs_ray
@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("address", ["127.0.0.1:1", "ray://127.0.0.1:1", "nonsense", "127.0.0.1:x"])
def test_where_no_cluster_is_one_plain_line(small_pair, folder, tmp_path, capsys, address):
    assert main(["stylize", str(folder), "-s", str(small_pair), "-o", str(tmp_path / "out"), "--on", address]) == 2
    err = capsys.readouterr().err
    assert f"no Ray cluster answers at {address}" in err and err.count("\n") == 1 and not (tmp_path / "out").exists()


@needs_ray
@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("aborted", "connected"), [(0, True), (2, True), (3, False)])
def test_a_cluster_that_aborts_what_it_accepted_is_asked_again(monkeypatch, aborted, connected):
    import ray

    from zoo import cluster

    answers = iter([ConnectionAbortedError("Starting Ray client server failed")] * aborted + ["connected"])

    def init(address, **_):
        if isinstance(answer := next(answers), Exception):
            raise answer

    monkeypatch.setattr(ray, "init", init)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        address = f"ray://127.0.0.1:{listening.getsockname()[1]}"
        if connected:
            cluster._connect(address)
        else:
            with pytest.raises(ClusterError, match="Starting Ray client server failed"):
                cluster._connect(address)


@needs_ray
def test_one_photo_needs_no_cluster(small_pair, photo, tmp_path, capsys):
    assert main(["stylize", str(photo), "-s", str(small_pair), "-o", str(tmp_path / "out.png"), "--on", "ray"]) == 2
    assert "--on paints folders" in capsys.readouterr().err
