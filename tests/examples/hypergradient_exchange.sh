#!/bin/sh
# SPDX-FileCopyrightText: 2026 The bilevel authors
# SPDX-License-Identifier: MIT
#
# sh hypergradient_exchange.sh PROGRAM FOLDER: the exchange writes what --layout announces, in both scalars and with the same bits for any number of
# threads; bad arguments and bad arrays are refused with one line on stderr that names the argument or the file, and nothing is written.
set -u
program=$1
folder=$2
rm -rf "$folder"
mkdir -p "$folder"
cd "$folder" || exit 1
faults=0
fault() {
    echo "hypergradient_exchange: $*"
    faults=$((faults + 1))
}

# mlp on 28x28: 784*64 and 64 parameters, 64*64 and 64, 64*ways and ways, each padded to 16.
"$program" --algorithm maml --network mlp --layout --ways 5 >layout 2>err || fault "--layout: $(cat err)"
cat >expected <<'END'
linear_1.weight 0 784,64 in,out
linear_1.bias 50176 64 out
linear_2.weight 50240 64,64 in,out
linear_2.bias 54336 64 out
head.weight 54400 64,5 in,out
head.bias 54720 5 out
END
cmp layout expected || fault "--layout: $(cat layout)"
"$program" --algorithm maml --network conv4 --layout >layout || fault "--layout of conv4"
grep -q -x 'convolution_1.weight 0 3,3,1,64 height,width,in,out' layout || fault "--layout of conv4: $(cat layout)"
"$program" --algorithm mtl --network mlp --layout --classes 20 >layout || fault "--layout of mtl"
grep -q -x 'head.weight 54400 20,64 classes,in' layout || fault "--layout of mtl: $(cat layout)"
"$program" --algorithm maml --network conv4 --ways 65 --layout >layout 2>err || fault "--layout with more ways than mtl's classes: $(cat err)"
"$program" --algorithm fomaml --network mlp --planes kept --proximal-weight 2 --cg-iterations 5 --cg-damping 0 --layout >layout 2>err ||
    fault "the same arguments for every algorithm: $(cat err)"

mlp="--network mlp --inner-steps 2 --inner-rate 0.1"
for algorithm in maml fomaml anil imaml mtl; do
    arguments="--algorithm $algorithm $mlp"
    # shellcheck disable=SC2086
    "$program" $arguments --scalar double --ways 3 --tasks 3 --classes 20 --write-example "$algorithm" >out 2>err || fault "$algorithm: $(cat err)"
    for scalar in double float; do
        for threads in 1 2; do
            # shellcheck disable=SC2086
            "$program" $arguments --scalar $scalar --threads $threads --input "$algorithm" --output "$algorithm-$scalar-$threads.npy" >out 2>err ||
                fault "$algorithm in $scalar: $(cat err)"
            grep -q -E '^loss [0-9]+\.[0-9]+$' out || fault "$algorithm in $scalar: no loss: $(cat out)"
        done
        cmp "$algorithm-$scalar-1.npy" "$algorithm-$scalar-2.npy" || fault "$algorithm in $scalar: other bits with two threads"
    done
    # The hypergradient in double is as long as the parameters, and is not the parameters.
    [ "$(wc -c <"$algorithm/parameters.npy")" = "$(wc -c <"$algorithm-double-1.npy")" ] || fault "$algorithm: a hypergradient of another size"
    ! cmp -s "$algorithm/parameters.npy" "$algorithm-double-1.npy" || fault "$algorithm: the hypergradient is the parameters"
done
! cmp -s maml-double-1.npy fomaml-double-1.npy || fault "first and second order are the same"
# shellcheck disable=SC2086
"$program" --algorithm maml $mlp --input maml --output maml-float-1.npy --repeat 3 >out || fault "--repeat"
for name in milliseconds peak_rss_mb gflop peak_gflops share_of_peak; do
    grep -q -E "^$name [0-9]" out || fault "--repeat does not print $name: $(cat out)"
done
"$program" --help | grep -q -e 'parameters.npy' || fault "--help does not describe the files"

refused() { # STATUS WORDS ARGUMENT…: WORDS is a basic regular expression
    expected=$1
    words=$2
    shift 2
    "$program" "$@" >out 2>err
    status=$?
    lines=$(wc -l <err)
    if [ "$status" -ne "$expected" ] || [ "$lines" -ne 1 ] || ! grep -q -e "$words" err || [ -s out ] || [ -e new.npy ]; then
        fault "hypergradient $*: expected status $expected and one line with '$words'; status $status, stderr: $(cat err); stdout: $(cat out)"
        rm -f new.npy
    fi
}
refused 2 '--algorithm: expected maml' --network mlp --layout
refused 2 '--algorithm' --algorithm reptile --network mlp --layout
refused 2 '--network: expected' --algorithm maml --layout
refused 2 '--scalar' --algorithm maml --network mlp --scalar half --layout
refused 2 '--arithmetic' --algorithm maml --network mlp --arithmetic half --layout
refused 2 '--arithmetic: expected with --backend cuda alone' --algorithm maml --network mlp --arithmetic tf32 --layout
refused 2 '--cudnn: expected with --backend cuda alone' --algorithm maml --network mlp --cudnn --layout
refused 2 '--convolution' --algorithm maml --network mlp --convolution winograd_6x6 --layout
refused 2 'conv4 with 64 filters on 28x28x1, mlp with 64 filters on 28x28x1, .*found conv4 with 48 filters on 28x28x1' \
    --algorithm maml --network conv4 --filters 48 --layout
refused 2 '--algorithm: resnet12 is compiled for mtl alone, found maml' --algorithm maml --network resnet12 --image 32,32,3 --layout
refused 2 'found vgg with 64 filters' --algorithm maml --network vgg --layout
refused 2 'found conv4 with 64 filters on 84x84x3' --algorithm maml --network conv4 --image 84,84,3 --layout
refused 2 '--image: expected height, width and channels' --algorithm maml --network conv4 --image 84,84 --layout
refused 2 '--image: expected height, width and channels' --algorithm maml --network conv4 --image 28,28,1,1 --layout
refused 2 '--inner-rate: expected a positive number' --algorithm maml --network mlp --inner-rate 0 --layout
refused 2 '--inner-steps: expected at least 0' --algorithm maml --network mlp --inner-steps -1 --layout
refused 2 '--cg-iterations: expected at least 1' --algorithm imaml --network mlp --cg-iterations 0 --layout
refused 2 '--threads: expected at least 1' --algorithm maml --network mlp --threads 0 --layout
refused 2 '--classes: expected at least 5' --algorithm mtl --network mlp --classes 4 --layout
refused 2 '--classes: expected at least 65' --algorithm mtl --network mlp --ways 65 --layout
for algorithm in fomaml imaml mtl; do
    refused 2 "--planes: expected recomputed with --algorithm maml and anil alone, found --algorithm $algorithm" \
        --algorithm $algorithm --network mlp --planes recomputed --layout
done
refused 2 '--input: expected' --algorithm maml --network mlp --output new.npy
refused 2 '--output: expected' --algorithm maml --network mlp --input maml
refused 2 '--input: there is no folder no/such' --algorithm maml --network mlp --input no/such --output new.npy
refused 1 'no/such/folder/new.npy: cannot be created' --algorithm maml --network mlp --input maml --output no/such/folder/new.npy
# Spoils one file of a copy of an input that is right.
spoiled() { # NAME FROM
    rm -rf spoiled
    cp -r maml spoiled
    cp "$2" "spoiled/$1"
}
cp -r maml spoiled
rm spoiled/support_images.npy
refused 1 'spoiled/support_images.npy: cannot be opened' --algorithm maml --network mlp --input spoiled --output new.npy
spoiled parameters.npy mtl/parameters.npy
refused 1 'spoiled/classes.npy: cannot be opened' --algorithm mtl --network mlp --input spoiled --output new.npy
spoiled query_labels.npy maml/query_images.npy
refused 1 "spoiled/query_labels.npy: has shape (3, 3, 28, 28, 1); expected (3, 3)" --algorithm maml --network mlp --input spoiled --output new.npy
spoiled query_images.npy maml/query_labels.npy
refused 1 "spoiled/query_images.npy: has an array of rank 2" --algorithm maml --network mlp --input spoiled --output new.npy
spoiled support_labels.npy mtl/classes.npy
refused 1 "spoiled/support_labels.npy: holds [0-9]*; expected numbers from 0 to 2" --algorithm maml --network mlp --input spoiled --output new.npy
spoiled parameters.npy mtl/parameters.npy
refused 1 "spoiled/parameters.npy: has [0-9]* elements, which are those of mlp with 64 filters on 28x28x1 for no number of outputs" \
    --algorithm maml --network mlp --input spoiled --output new.npy
head -c 1000 maml/query_images.npy >cut
spoiled query_images.npy cut
refused 1 "spoiled/query_images.npy: is cut short or damaged: it has 1000 bytes" --algorithm maml --network mlp --input spoiled --output new.npy
head -c 1000 maml/parameters.npy >cut
spoiled parameters.npy cut
refused 1 "spoiled/parameters.npy: is cut short or damaged" --algorithm maml --network mlp --input spoiled --output new.npy
[ "$faults" -eq 0 ] || exit 1
echo "hypergradient_exchange: all as announced, all that is wrong refused by name"
