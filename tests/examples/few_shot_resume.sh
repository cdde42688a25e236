#!/bin/sh
# SPDX-FileCopyrightText: 2026 The bilevel authors
# SPDX-License-Identifier: MIT
#
# sh few_shot_resume.sh PROGRAM FOLDER: a run that is killed and resumed, again and again, ends in the bits of one that was not: the same
# accuracy and the same checkpoint, byte for byte. So does one that SIGTERM stops at an iteration where no checkpoint was due.
set -eu
program=$1
folder=$2
rm -rf "$folder"
mkdir -p "$folder"
cd "$folder"

fail() {
    echo "few_shot_resume: $*" >&2
    exit 1
}
common="--algorithm maml --filters 32 --iterations 300 --meta-batch 2 --queries 1 --test-queries 1 --episodes 8 --validation-interval 80
    --validation-episodes 4 --keep-best"
start() { # NAME ARGUMENT…: in the background; the process is $process
    name=$1
    shift
    # shellcheck disable=SC2086
    "$program" $common --checkpoint "$name.checkpoint" --json "$name.json" "$@" >"$name.log" 2>&1 &
    process=$!
}
finish() { # the status of $process is $status
    status=0
    wait "$process" || status=$?
}
run() { # NAME ARGUMENT…: to its end; the status is the program's
    start "$@"
    finish
    return "$status"
}
result() { grep -E '^  "(accuracy|ci95|iterations|tested_iteration|validation)"' "$1.json"; }
same() { # NAME
    cmp straight.checkpoint "$1.checkpoint" || fail "$1: another checkpoint than that of the run that was not stopped"
    [ "$(result straight)" = "$(result "$1")" ] || fail "$1: another result than that of the run that was not stopped: $(result "$1")"
}
# Waits until the file $1 is another than $2 (or is there at all), while $process lives.
await_change() {
    while kill -0 "$process" 2>/dev/null && { [ ! -e "$1" ] || cmp -s "$1" "$2"; }; do sleep 0.02; done
}

run straight --threads 1
[ -s straight.checkpoint ] || fail "no checkpoint was written"
echo "few_shot_resume: $(result straight)"

# Killed for good, three times, each some time after a checkpoint; the last time, the folder holds what a write that was cut short leaves behind.
killed=0
for delay in 0 0.05 0.11; do
    cp killed.checkpoint before 2>/dev/null || : >before
    start killed --threads 2 --checkpoint-interval 7 --resume
    await_change killed.checkpoint before
    sleep "$delay"
    kill -KILL "$process" 2>/dev/null || :
    finish
    [ "$status" -ne 137 ] || killed=$((killed + 1))
done
[ "$killed" -gt 0 ] || fail "the program was never killed: it had ended before"
! cmp -s straight.checkpoint killed.checkpoint || fail "the killed run had ended"
head -c 100 killed.checkpoint >killed.checkpoint.partial
run killed --threads 2 --checkpoint-interval 7 --resume || fail "not resumed: $(cat killed.log)"
grep -q 'resumed from killed.checkpoint at iteration [1-9]' killed.log || fail "began anew: $(cat killed.log)"
same killed

# Asked to stop: the step is finished, all is written, the status says by which signal.
for signal in TERM INT; do
    cp stopped.checkpoint before 2>/dev/null || : >before
    start stopped --checkpoint-interval 5 --resume
    await_change stopped.checkpoint before
    kill "-$signal" "$process"
    finish
    case $signal in
    TERM) expected=143 ;;
    INT) expected=130 ;;
    esac
    [ "$status" -eq "$expected" ] || fail "after SIG$signal: status $status, expected $expected: $(cat stopped.log)"
    grep -q 'go on with --resume' stopped.log || fail "after SIG$signal it did not say how to go on: $(cat stopped.log)"
done
run stopped --checkpoint-interval 1000 --threads 2 --resume || fail "not resumed: $(cat stopped.log)"
same stopped

# What is kept of each iteration takes memory when the iteration is made, not before.
"$program" --filters 32 --iterations 1000000000 --meta-batch 2 --queries 1 --checkpoint endless.checkpoint --checkpoint-interval 1 >endless.log 2>&1 &
process=$!
await_change endless.checkpoint /dev/null
kill -TERM "$process" 2>/dev/null || :
finish
[ "$status" -eq 143 ] || fail "a run of a billion iterations: status $status, expected 143: $(cat endless.log)"

# A second signal, also of the other kind, does not wait for the end of a step.
"$program" --filters 32 --iterations 2 --meta-batch 4000 --queries 1 --threads 1 >long.log 2>&1 &
process=$!
while kill -0 "$process" 2>/dev/null && ! grep -q 'training 0/\|^glyphs:' long.log; do sleep 0.02; done
sleep 0.3
kill -INT "$process"
sleep 0.1
kill -TERM "$process"
finish
[ "$status" -eq 143 ] || fail "after two signals: status $status, expected 143: $(cat long.log)"

# A checkpoint goes on with its own settings alone, and is not overwritten unasked.
cp straight.checkpoint other.checkpoint
! run other --resume --inner-rate 0.3 || fail "went on with another --inner-rate"
grep -q 'inner-rate=0.4, not inner-rate=0.3' other.log || fail "did not name the setting that differs: $(cat other.log)"
! run other || fail "wrote over a checkpoint that is there"
cmp straight.checkpoint other.checkpoint || fail "changed a checkpoint that it refused"
echo "few_shot_resume: killed $killed times, the same bits"
