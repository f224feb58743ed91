"""A sweep in shards on a Dask cluster: one on this machine, or the one whose scheduler is given.

Run it from the folder of the project, with dask and distributed installed:

    python examples/cluster/dask_sweep.py [--scheduler tcp://host:8786] [--shards 8] [--retrysim PATH] [--out FOLDER]

On several machines all workers need `retrysim`, the scenario and a common folder. A shard that fails is tried twice again, and
goes on with the points that it had not finished.
"""

import argparse
import subprocess
from pathlib import Path

from dask.distributed import Client, LocalCluster

SWEEP = ["scenarios/how-many-at-once.toml", "-P", "workloads.sends.clients=25..6400:*2"]


def shard(index: int, shards: int, retrysim: str, out: str) -> str:
    """Runs one shard and gives its folder."""
    folder = f"{out}/shard-{index}"
    part = ["--shard", f"{index}/{shards}", "--out", folder]
    command = [retrysim, "sweep", *SWEEP, "--jobs", "1", "--format", "quiet", *part]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"shard {index}/{shards}: {done.stderr.strip()}")
    return folder


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scheduler", help="address of a running scheduler")
    parser.add_argument("--shards", type=int, default=8)
    parser.add_argument("--workers", type=int, default=2, help="of the cluster on this machine")
    parser.add_argument("--retrysim", default="retrysim")
    parser.add_argument("--out", default="output/cluster")
    options = parser.parse_args()
    Path(options.out).mkdir(parents=True, exist_ok=True)

    local = dict(n_workers=options.workers, threads_per_worker=1, host="127.0.0.1", dashboard_address=None)
    cluster = options.scheduler or LocalCluster(**local)
    with Client(cluster) as client:
        indices = range(1, options.shards + 1)
        arguments = dict(shards=options.shards, retrysim=options.retrysim, out=options.out)
        folders = client.gather(client.map(shard, indices, retries=2, pure=False, **arguments))
    if not options.scheduler:
        cluster.close()
    subprocess.run([options.retrysim, "merge", *folders, "--out", f"{options.out}/merged"], check=True)


if __name__ == "__main__":
    main()
