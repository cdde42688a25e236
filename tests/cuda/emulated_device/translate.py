#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The bilevel authors
# SPDX-License-Identifier: MIT
"""translate.py MODULE.ptx NAME >NAME.cpp: the kernel NAME of a module, as a C++ function of one thread (kernel.hpp).

Takes the PTX that nvcc makes of this library and nothing else; whatever is new to it is an error that shows the instruction."""
import re
import sys

TYPES = {"b8": "std::uint8_t", "u8": "std::uint8_t", "s8": "std::int8_t", "b16": "std::uint16_t", "u16": "std::uint16_t", "s16": "std::int16_t",
         "b32": "std::uint32_t", "u32": "std::uint32_t", "s32": "std::int32_t", "b64": "std::uint64_t", "u64": "std::uint64_t", "s64": "std::int64_t",
         "f32": "float", "f64": "double", "pred": "bool"}
SPECIAL = {"%tid.x": "t.tid", "%ctaid.x": "t.ctaid_x", "%ctaid.y": "t.ctaid_y", "%ctaid.z": "t.ctaid_z", "%ntid.x": "t.ntid"}
# What may stand between an instruction's name and its type.
MODIFIERS = {"ld": {"param", "global", "shared", "v2", "v4"}, "st": {"global", "shared", "v2", "v4"}, "bra": {"uni"}, "cvta": {"to", "global"}, "add": {"rn"},
             "sub": {"rn"}, "mul": {"lo", "wide", "rn"}, "mad": {"lo"}, "fma": {"rn", "rm"}, "div": {"rn"}, "rcp": {"rn", "approx", "ftz"}, "sqrt": {"rn"},
             "ex2": {"approx", "ftz"}, "cvt": {"rn", "sat"}}
COMPARISONS = {"eq": "==", "ne": "!=", "lt": "<", "le": "<=", "gt": ">", "ge": ">="}


def size_of(kind):
    return int(kind[1:]) // 8


def unsigned(kind):
    return "u" + kind[1:]


def identifier(register):
    return register.replace("%", "r_")


def operands(text):
    """Split at the commas outside of braces and brackets."""
    parts, depth = [""], 0
    for c in text:
        depth += (c in "{[") - (c in "}]")
        if c == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += c
    return [p.strip() for p in parts if p.strip()]


def braced(text):
    return [p.strip() for p in text.strip("{}").split(",")]


class Kernel:
    def __init__(self, module, name):
        start = re.search(r"\.entry\s+" + re.escape(name) + r"\s*\(([^)]*)\)[^{]*\{", module)
        if not start:
            sys.exit(f"translate.py: there is no kernel {name}")
        self.parameters, self.bytes_of_parameters = {}, 0
        for text in start.group(1).split(","):
            if text.strip():
                kind = re.match(r"\s*\.param\s+(?:\.align\s+(\d+)\s+)?\.(\w+)\s+(\w+)(?:\[(\d+)\])?", text)
                size = size_of(kind.group(2)) * int(kind.group(4) or 1)
                alignment = int(kind.group(1) or size)
                offset = (self.bytes_of_parameters + alignment - 1) // alignment * alignment
                self.parameters[kind.group(3)] = (offset, size)
                self.bytes_of_parameters = offset + size
        end, depth = start.end(), 1
        while depth > 0:
            depth += {"{": 1, "}": -1}.get(module[end], 0)
            end += 1
        self.registers, self.shared, self.bytes_of_shared, self.threads_wait = {}, {}, 0, False
        self.lines = []
        for statement in self.statements(module[start.end():end - 1]):
            try:
                line = self.translated(statement)
            except (KeyError, AttributeError, ValueError, IndexError) as e:
                sys.exit(f"translate.py: '{statement}' is new to it ({e!r})")
            if line:
                self.lines.append(line)

    @staticmethod
    def statements(body):
        for piece in re.split(r"(?<=[;:])", re.sub(r"//[^\n]*", "", body)):
            piece = " ".join(piece.split()).rstrip("; ")
            while re.match(r"\}|\{ ?[.}]|\{$", piece):  # of a scope, not of a list of registers
                piece = piece[1:].strip()
            if piece:
                yield piece

    def value(self, x, kind):
        c = TYPES[kind]
        if x in SPECIAL:
            return SPECIAL[x]
        if x in self.registers:
            own = self.registers[x]
            if own == "pred" or own == kind:
                return identifier(x)
            if own[0] == "f" or kind[0] == "f":
                return f"bits<{c}>({identifier(x)})"
            return f"{c}({identifier(x)})"
        if re.fullmatch(r"0[fF][0-9A-Fa-f]{8}", x):
            return f"bits<{c}>(std::uint32_t{{0x{x[2:]}U}})"
        if re.fullmatch(r"0[dD][0-9A-Fa-f]{16}", x):
            return f"bits<{c}>(std::uint64_t{{0x{x[2:]}U}})"
        if x in self.shared:
            return f"{c}({self.shared[x]})"
        if x in self.parameters:
            return f"{c}({self.parameters[x][0]})"
        return f"{c}({int(x, 0)}{'U' if int(x, 0) >= 2 ** 63 else ''}LL)"

    def set(self, register, expression, kind):
        own = self.registers[register]
        if own != "pred" and (own[0] == "f") != (kind[0] == "f"):
            return f"{identifier(register)} = bits<{TYPES[own]}>({TYPES[kind]}({expression}));"
        return f"{identifier(register)} = {TYPES[own]}({expression});"

    def address(self, text):
        base, offset = re.fullmatch(r"\[([%\w]+)(?:\+(-?\d+))?\]", text).groups()
        offset = int(offset or 0)
        if base in self.parameters:
            return str(self.parameters[base][0] + offset)
        if base in self.shared:
            return str(self.shared[base] + offset)
        return f"std::uint64_t({identifier(base)} + std::int64_t({offset}))"

    def declared(self, statement):
        many = re.fullmatch(r"\.reg \.(\w+) (%\w+)<(\d+)>", statement)
        if many:
            self.registers.update({f"{many.group(2)}{i}": many.group(1) for i in range(int(many.group(3)))})
        elif statement.startswith(".reg"):
            kind, names = re.fullmatch(r"\.reg \.(\w+) (.+)", statement).groups()
            self.registers.update({name.strip(): kind for name in names.split(",")})
        elif statement.startswith(".shared"):
            alignment, kind, name, count = re.fullmatch(r"\.shared \.align (\d+) \.(\w+) (\w+)\[(\d+)\]", statement).groups()
            alignment = int(alignment)
            self.shared[name] = (self.bytes_of_shared + alignment - 1) // alignment * alignment
            self.bytes_of_shared = self.shared[name] + int(count) * size_of(kind)

    def translated(self, statement):
        if statement.endswith(":"):
            return f"L{statement[1:-1]}:"
        if statement.startswith("."):
            return self.declared(statement)
        guard = re.match(r"@(!?)(%\w+) ", statement)
        if guard:
            return f"if ({guard.group(1)}{identifier(guard.group(2))}) {{ {self.instruction(statement[guard.end():])} }}"
        return self.instruction(statement)

    def moved_to_memory(self, operation, kind, o):
        space, count = operation[1], 1
        loads = operation[0] == "ld"
        address, registers = self.address(o[1 if loads else 0]), o[0 if loads else 1]
        if "{" in registers:
            registers, count = braced(registers), len(braced(registers))
        else:
            registers = [registers]
        text = f"aligned(t, {address}, {size_of(kind) * count}); " if count > 1 else ""
        for i, r in enumerate(registers):
            place = f"t, {address} + {i * size_of(kind)}"
            if not loads:
                text += f"st_{space}<{TYPES[kind]}>({place}, {self.value(r, kind)}); "
            elif r in self.registers:
                text += self.set(r, f"ld_{space}<{TYPES[kind]}>({place})", kind)
        return text

    def moved(self, kind, o):
        if "{" in o[0]:  # the halves of a number
            parts = braced(o[0])
            width = size_of(kind) * 8 // len(parts)
            return f"{{ const std::uint64_t whole = {self.value(o[1], 'u' + kind[1:])}; " + "".join(
                self.set(r, f"whole >> {i * width}", f"u{width}") for i, r in enumerate(parts) if r in self.registers) + " }"
        if "{" in o[1]:
            parts = braced(o[1])
            width = size_of(kind) * 8 // len(parts)
            return self.set(o[0], " | ".join(f"(std::uint64_t({self.value(r, f'u{width}')}) << {i * width})" for i, r in enumerate(parts)), unsigned(kind))
        return self.set(o[0], self.value(o[1], kind), kind)

    def instruction(self, statement):
        name, _, rest = statement.partition(" ")
        operation, o = name.split("."), operands(rest)
        what, kind = operation[0], operation[-1]
        c = TYPES.get(kind)
        floating = kind[0] == "f"

        def v(i, of=kind):
            return self.value(o[i], of)

        modifiers = operation[1:-2] if what == "cvt" else operation[1:-1]
        if what == "setp":
            is_known = len(modifiers) == 1 and (modifiers[0] == "nan" or modifiers[0][:2] in COMPARISONS and modifiers[0][2:] in ("", "u"))
        elif what in ("bar", "mma", "ret"):
            is_known = name in ("bar.sync", "mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32", "ret")
        else:
            is_known = set(modifiers) <= MODIFIERS.get(what, set()) and not (what in ("mul", "mad") and not floating and not modifiers)
        if not is_known:
            raise ValueError(name)
        if what in ("ld", "st"):
            return self.moved_to_memory(operation, kind, o)
        if what == "mov":
            return self.moved(kind, o)
        if what == "bra":
            return f"goto L{o[0][1:]};"
        if what == "ret":
            return "return;"
        if what == "bar":
            if o != ["0"]:
                raise ValueError(statement)
            self.threads_wait = True
            return "barrier(t);"
        if what == "mma":
            if o[0] != o[3]:
                raise ValueError(name)
            self.threads_wait = True
            arrays = [", ".join(self.value(r, "f32") for r in braced(part)) for part in o[:3]]
            return (f"{{ float c[4] = {{{arrays[0]}}}; const float a[4] = {{{arrays[1]}}}, b[2] = {{{arrays[2]}}}; mma(t, c, a, b); "
                    + "".join(self.set(r, f"c[{i}]", "f32") for i, r in enumerate(braced(o[0]))) + " }")
        if what == "setp":
            a, b, by = v(1), v(2), operation[1]
            unordered = f"({a} != {a} || {b} != {b})"
            if by == "nan":
                return f"{identifier(o[0])} = {unordered};"
            test = f"({a} < {b} || {a} > {b})" if floating and by == "ne" else f"({a} {COMPARISONS[by[:2]]} {b})"
            return f"{identifier(o[0])} = {test}{' || ' + unordered if by[2:] == 'u' else ''};"
        if what == "cvt":
            of = operation[-2]
            if "sat" in operation:
                return self.set(o[0], f"saturate({v(1)})", of)
            if floating and of[0] != "f" or floating and of == kind:
                raise ValueError(name)
            return self.set(o[0], f"{TYPES[of]}({v(1)})", of)
        if what == "mul" and operation[1] == "wide":
            wide = f"{kind[0]}{int(kind[1:]) * 2}"
            return self.set(o[0], f"{TYPES[wide]}({v(1)}) * {TYPES[wide]}({v(2)})", wide)
        u = None if floating or kind == "pred" else TYPES[unsigned(kind)]  # whose overflow wraps around
        expression = {
            "add": lambda: f"{u or ''}({v(1)}) + {u or ''}({v(2)})",
            "sub": lambda: f"{u or ''}({v(1)}) - {u or ''}({v(2)})",
            "mul": lambda: f"{u or ''}({v(1)}) * {u or ''}({v(2)})",
            "mad": lambda: f"{u}({v(1)}) * {u}({v(2)}) + {u}({v(3)})",
            "fma": lambda: f"{'fma_down' if operation[1] == 'rm' else 'std::fma'}({v(1)}, {v(2)}, {v(3)})",
            "div": lambda: f"{v(1)} / {v(2)}",
            "rem": lambda: f"{v(1)} % {v(2)}",
            "and": lambda: f"{v(1)} & {v(2)}",
            "or": lambda: f"{v(1)} | {v(2)}",
            "xor": lambda: f"{v(1)} ^ {v(2)}",
            "not": lambda: f"!{v(1)}" if kind == "pred" else f"~{v(1)}",
            "neg": lambda: f"-{v(1)}" if floating else f"{u}(0) - {u}({v(1)})",
            "abs": lambda: f"std::fabs({v(1)})",
            "shl": lambda: f"shl({self.value(o[1], unsigned(kind))}, {v(2, 'u32')})",
            "shr": lambda: f"shr({v(1)}, {v(2, 'u32')})",
            "min": lambda: f"std::fmin({v(1)}, {v(2)})" if floating else f"{v(1)} < {v(2)} ? {v(1)} : {v(2)}",
            "max": lambda: f"std::fmax({v(1)}, {v(2)})" if floating else f"{v(1)} > {v(2)} ? {v(1)} : {v(2)}",
            "selp": lambda: f"{identifier(o[3])} ? {v(1)} : {v(2)}",
            "bfi": lambda: f"bfi<{TYPES[unsigned(kind)]}>({v(1)}, {v(2)}, {v(3, 'u32')}, {v(4, 'u32')})",
            "ex2": lambda: f"ex2_approx({v(1)})",
            "rcp": lambda: f"1 / {v(1)}" if operation[1] == "rn" else f"rcp_approx({v(1)})",
            "sqrt": lambda: f"std::sqrt({v(1)})",
            "cvta": lambda: v(1),
        }[what]()
        return self.set(o[0], f"{c}({expression})", kind)


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        kernel = Kernel(file.read(), sys.argv[2])
    print('#include "kernel.hpp"\nusing namespace emulated;\nstatic void run(const thread& t) {')
    for register, kind in kernel.registers.items():
        print(f"    {TYPES[kind]} {identifier(register)}{{}};")
    print("\n".join(kernel.lines) + "\n}")
    parameters = ", ".join(f"{{{offset}, {size}}}" for offset, size in kernel.parameters.values())
    print(f"static const kernel::parameter parameters[] = {{{parameters}}};")
    print(f'extern "C" const kernel emulated_kernel{{&run, parameters, {len(kernel.parameters)}, {kernel.bytes_of_parameters}, '
          f"{kernel.bytes_of_shared}, {'true' if kernel.threads_wait else 'false'}}};")


main()
