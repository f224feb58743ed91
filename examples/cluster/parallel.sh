#!/usr/bin/env bash
# A sweep in shards on the cores of one machine, or of several over ssh, with GNU parallel. Run it from the folder of the project.
#
# A shard that failed is run again by the next call; one that is finished is not (--resume-failed with the log). On several
# machines add `--sshlogin host1,host2 --workdir .`, with the same folder on all of them, as on a network disk.
set -euo pipefail

shards=${SHARDS:-8}
retrysim=${RETRYSIM:-retrysim}
out=${OUT:-output/cluster}
sweep=(scenarios/how-many-at-once.toml -P 'workloads.sends.clients=25..6400:*2')

mkdir -p "$out"
# --quote: a value such as 25..6400:*2 is nothing for the shell to expand.
parallel --quote --jobs "${JOBS:-100%}" --joblog "$out/log" --resume-failed \
  "$retrysim" sweep "${sweep[@]}" --jobs 1 --format quiet --shard "{}/$shards" --out "$out/shard-{}" \
  ::: $(seq "$shards")
"$retrysim" merge "$out"/shard-* --out "$out/merged"
