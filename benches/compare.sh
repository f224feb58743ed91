#!/usr/bin/env bash
# Holds the ratios that the benches print against benches/baseline.csv, and exits with 1 if one of them has become worse.
#
#   benches/compare.sh            runs `cargo bench --locked` and compares everything
#   benches/compare.sh FILE       compares what a run has printed before
#   benches/compare.sh --counted [FILE]
#                                 only what is counted, which is exact everywhere: a small run, for machines that are not quiet
set -euo pipefail

# A timed ratio fails when it is worse than its baseline by more than this factor. Both times are of one run, but a neighbour on the
# machine slows a loop that lives in a cache less than one that does not: the same binary, run again and again on a shared machine,
# has been seen to move by a third, where nothing but the neighbour had changed.
readonly CLEARLY_WORSE=1.5

here=$(cd "$(dirname "$0")" && pwd)
baseline=${RETRYSIM_BASELINE:-$here/baseline.csv}
only=all
if [ "${1:-}" = "--counted" ]; then
  only=counted
  shift
fi
if [ $# -gt 1 ] || [[ "${1:-}" == -* ]]; then
  echo "usage: benches/compare.sh [--counted] [FILE], where FILE is what \`cargo bench --locked --bench '*'\` has printed" >&2
  exit 2
fi

printed=${1:-}
# A file may hold the output of some benches only: of those that are not in it at all, nothing is asked.
partial=0
if [ -z "$printed" ]; then
  printed=$(mktemp)
  trap 'rm -f "$printed"' EXIT
  # With --bench the benches measure; without, as in a test, everything runs once and small. What is counted is the same.
  if [ "$only" = counted ]; then
    (cd "$here/.." && cargo test --locked --bench '*') | tee "$printed" >&2
  else
    (cd "$here/.." && cargo bench --locked --bench '*') | tee "$printed" >&2
  fi
else
  if [ ! -f "$printed" ] || [ ! -r "$printed" ] || ! grep -q "^ratio$(printf '\t')" "$printed"; then
    echo "$printed holds no ratios: name a file into which the output of \`cargo bench --locked --bench '*'\` was saved" >&2
    exit 2
  fi
  # awk takes a name with = in it for an assignment, unless it begins with a folder.
  printed=$(cd "$(dirname "$printed")" && pwd)/$(basename "$printed")
  partial=1
fi

awk -v partial="$partial" -v only="$only" -v limit="$CLEARLY_WORSE" -v baseline="$baseline" '
  function say(name, was, is, verdict) { printf "%-50s%14s%14s  %s\n", name, was, is, verdict }
  function wrong(sentence) { sentences = sentences sentence "\n"; failed = 1 }

  BEGIN { FS = ","; say("ratio", "baseline", "now", "") }

  FILENAME == baseline {
    if ($0 == "" || FNR == 1) next
    if (NF != 5 || ($2 != "timed" && $2 != "counted") || ($5 != "lower" && $5 != "higher")) {
      wrong(FILENAME ":" FNR ": write name,kind,ratio,goal,direction with the kind timed or counted and the direction lower or higher")
      next
    }
    order[++rows] = $1; kind[$1] = $2; ratio[$1] = $3; goal[$1] = $4; direction[$1] = $5
    next
  }

  function bench(name) { return name ~ /^engine\/simpy/ ? "peer" : substr(name, 1, index(name, "/") - 1) }

  { split($0, part, "\t") }
  part[1] == "ratio" {
    name = part[2]; value = part[3]
    if (!(name in kind)) {
      if (!(name in unknown)) wrong(name " is not in the baseline: add a line \"" name ",KIND," value ",GOAL,DIRECTION\" to benches/baseline.csv")
      unknown[name] = 1
    } else if (value != "absent" && value !~ /^-?[0-9]+(\.[0-9]+)?$/) {
      wrong(name " is \"" value "\", which is no number: mend the bench that prints it")
    }
    now[name] = value
    printed[bench(name)] = 1
  }

  END {
    for (row = 1; row <= rows; row++) {
      name = order[row]
      if (only == "counted" && kind[name] != "counted") continue
      if (!(name in now) && partial && !(bench(name) in printed)) {
        if (!(bench(name) in passed_over)) say(bench(name) "/...", "", "-", "not in the file")
        passed_over[bench(name)] = 1
      } else if (!(name in now)) {
        say(name, ratio[name], "-", "MISSING")
        wrong(name " was not printed: run all benches to their end, or take its line out of benches/baseline.csv")
      } else if (now[name] == "absent") {
        say(name, ratio[name], "absent", "not measured")
      } else if (kind[name] == "counted") {
        same = now[name] + 0 == ratio[name] + 0
        better = direction[name] == "lower" ? now[name] + 0 < ratio[name] + 0 : now[name] + 0 > ratio[name] + 0
        say(name, ratio[name], now[name], same ? "same" : better ? "BETTER" : "WORSE")
        if (!same) wrong(name " is counted, so it is exact, and has changed from " ratio[name] " to " now[name] ": if that is meant, write the new value into benches/baseline.csv")
      } else {
        worse = direction[name] == "lower" ? now[name] / ratio[name] : ratio[name] / (now[name] > 0 ? now[name] : 1e-9)
        reached = goal[name] == "" ? "" : (direction[name] == "lower" ? now[name] + 0 <= goal[name] + 0 : now[name] + 0 >= goal[name] + 0) ? ", goal reached" : ", short of its goal of " goal[name]
        say(name, ratio[name], now[name], (worse > limit ? "WORSE" : "ok") reached)
        if (worse > limit) wrong(sprintf("%s is %.2f times worse than its baseline, more than %s: run it again on a quiet machine; if it stays, find the change that did it", name, worse, limit))
      }
    }
    if (sentences != "") printf "\n%s", sentences
    exit failed
  }
' "$baseline" "$printed"
