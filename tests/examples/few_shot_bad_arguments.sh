#!/bin/sh
# SPDX-FileCopyrightText: 2026 The bilevel authors
# SPDX-License-Identifier: MIT
#
# sh few_shot_bad_arguments.sh PROGRAM FOLDER: bad arguments and bad data are refused with one line on stderr that names the argument or the file,
# with status 2 or 1, before anything is computed or written.
set -u
program=$1
folder=$2
rm -rf "$folder"
mkdir -p "$folder/work" "$folder/empty" "$folder/broken/images_background/Alphabet/character01" "$folder/broken/images_evaluation"
cd "$folder/work" || exit 1
faults=0

refused() { # STATUS WORDS ARGUMENT…: WORDS is a basic regular expression
    expected=$1
    words=$2
    shift 2
    "$program" "$@" --json out.json --plot out.svg >../out 2>../err
    status=$?
    lines=$(wc -l <../err)
    if [ "$status" -ne "$expected" ] || [ "$lines" -ne 1 ] || ! grep -q -e "$words" ../err || [ -s ../out ] || [ -n "$(ls)" ]; then
        echo "few_shot $*: expected status $expected and one line with '$words'; status $status, stderr:"
        cat ../err
        echo "stdout:"
        cat ../out
        echo "written: $(ls)"
        rm -f ./*
        faults=$((faults + 1))
    fi
}

refused 2 '--algorithm' --algorithm gradient
refused 2 '--network' --network resnet
refused 2 '--dataset' --dataset mnist
refused 2 '--rotations' --rotations twice
refused 2 '--split' --split even
refused 2 '--planes' --planes some
refused 2 '--batch-norm' --batch-norm none
refused 2 '--ways: expected 2 to' --ways 1
refused 2 '--ways: expected at most the 100 classes of the test set' --ways 101
refused 2 '--shots' --shots 0
refused 2 '--shots and --queries: 10 + 11 images' --shots 10 --queries 11
refused 2 '--shots and --test-queries: 10 + 11 images' --shots 10 --queries 1 --test-queries 11
refused 2 '--queries' --queries -1
refused 2 '--test-queries' --test-queries 0
refused 2 '--ways' --ways five
refused 2 '--meta-batch' --meta-batch 0
refused 2 '--inner-steps' --inner-steps 0
refused 2 '--test-inner-steps' --test-inner-steps -1
refused 2 '--inner-rate: expected a positive number of single precision, found 0' --inner-rate 0
refused 2 '--outer-rate: expected a positive number of single precision, found 1e+39' --outer-rate 1e39
refused 2 '--inner-rate' --inner-rate nan
refused 2 '--outer-rate' --outer-rate -1e-3
refused 2 '--outer-rate' --outer-rate inf
refused 2 '--proximal-weight' --algorithm imaml --proximal-weight 0
refused 2 '--cg-iterations' --algorithm imaml --cg-iterations 0
refused 2 '--cg-damping' --algorithm imaml --cg-damping -1
refused 2 '--filters: expected one of those that this program is compiled for (32\(, 64\)\{0,1\}), found 48' --filters 48
refused 2 '--threads' --threads 0
refused 2 '--episodes' --episodes 1
refused 2 '--seed' --seed -1
refused 2 '--iterations' --iterations -5
refused 2 '--no-such-thing' --no-such-thing
refused 2 '--keep-best: expected --validation-interval' --keep-best
refused 2 '--validation-episodes: expected --validation-interval' --validation-episodes 10
refused 2 '--resume: expected --checkpoint' --resume
refused 2 '--checkpoint-interval: expected --checkpoint' --checkpoint-interval 5
refused 2 '--checkpoint-interval' --checkpoint ../state --checkpoint-interval 0
refused 2 '--checkpoint: no/such/folder/state' --checkpoint no/such/folder/state
refused 2 '--checkpoint: ../empty cannot be written: it is a folder' --checkpoint ../empty
refused 2 '--json: out.json is the file of --checkpoint too' --checkpoint out.json
# A link is written where it leads to, and so looked at there.
ln -s no/such/folder/state ../nowhere
ln -s work/out.json ../same
ln -s circle ../circle
refused 2 '--checkpoint: ../circle cannot be written: links lead in a circle' --checkpoint ../circle
refused 2 '--checkpoint: ../nowhere cannot be written: there is no folder' --checkpoint ../nowhere
refused 2 '--json: out.json is the file of --checkpoint too' --checkpoint ../same
refused 2 '--data: expected the folder' --dataset omniglot --filters 32
refused 2 '--data: there is no folder no/such/folder' --dataset omniglot --filters 32 --data no/such/folder
refused 2 '--data: expected with --dataset omniglot alone, found --dataset glyphs' --data ../empty
refused 2 '--split: expected with --dataset omniglot alone, found --dataset glyphs' --dataset glyphs --split vinyals
refused 2 '--threads: expected with --backend cpu and thrust alone, found --backend reference' --backend reference --threads 2
# What the algorithm does not read, also where it is the default.
refused 2 '--cg-damping: expected with --algorithm imaml alone, found --algorithm maml' --cg-damping 3
refused 2 '--cg-iterations: expected with --algorithm imaml alone, found --algorithm anil' --algorithm anil --cg-iterations 5
refused 2 '--proximal-weight: expected with --algorithm imaml alone, found --algorithm mtl' --algorithm mtl --proximal-weight 2
refused 2 '--planes: expected with --algorithm maml and anil alone, found --algorithm fomaml' --algorithm fomaml --planes kept
refused 2 '--planes: expected with --algorithm maml and anil alone, found --algorithm imaml' --algorithm imaml --planes recomputed
refused 2 '--planes-budget: expected with --algorithm maml and anil alone, found --algorithm mtl' --algorithm mtl --planes-budget 8
refused 2 '--planes-budget: expected with --planes kept alone, found --planes recomputed' --planes recomputed --planes-budget 8
refused 2 '--planes-budget: expected 0 to' --planes-budget -1
for name in inner-steps inner-rate test-inner-steps; do
    refused 2 "--$name: expected with --algorithm maml, fomaml, anil and imaml alone, found --algorithm mtl" --algorithm mtl --$name 1
done
refused 1 '\.\./empty/images_background' --dataset omniglot --filters 32 --data ../empty
refused 1 '\.\./broken/images_background/Alphabet/character01: expected 20 drawings' --dataset omniglot --filters 32 --data ../broken
echo "this is no checkpoint" >../foreign
refused_resume() {
    "$program" --iterations 10 --checkpoint ../foreign --resume >../out 2>../err
    [ $? -eq 1 ] && [ "$(wc -l <../err)" -eq 1 ] && grep -q 'foreign' ../err && [ "$(cat ../foreign)" = "this is no checkpoint" ]
}
refused_resume || {
    echo "a foreign file was resumed from, or changed:"
    cat ../err
    faults=$((faults + 1))
}

# A result that cannot be written is not lost: it is printed, and what else was asked for is written.
if [ -e /dev/full ]; then
    "$program" --iterations 1 --meta-batch 1 --episodes 2 --json /dev/full --plot ../kept.svg >../out 2>../err
    if [ $? -ne 1 ] || ! grep -q 'test accuracy' ../out || ! grep -q '/dev/full: cannot be written' ../err || [ ! -s ../kept.svg ]; then
        echo "a result that could not be written was lost:"
        cat ../out ../err
        faults=$((faults + 1))
    fi
fi

# Help is no fault, and shows what the other arguments lead to.
"$program" --help --algorithm imaml --dataset omniglot >../out 2>../err || faults=$((faults + 1))
grep -q -e '--proximal-weight *2 *published \[Rajeswaran19\]' ../out || {
    echo "--help does not say where a default comes from"
    faults=$((faults + 1))
}
"$program" --help --algorithm maml --cg-damping 3 >../out 2>../err || faults=$((faults + 1))
[ "$(grep -e '--cg-[a-z]* *[0-9]' ../out | tr -s ' ')" = " --cg-damping 3 given" ] || {
    echo "--help shows other settings than those that are read or given"
    faults=$((faults + 1))
}
[ "$faults" -eq 0 ] || exit 1
echo "few_shot_bad_arguments: all refused by name"
