// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#include "kernels.hpp"
#include "memory.hpp"

#include <dlfcn.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <map>
#include <string>
#include <string_view>

// Of the build: where translate.py and kernel.hpp lie, the compiler, and a folder for what is compiled.
static_assert(sizeof(BILEVEL_EMULATED_SOURCES) > 1 && sizeof(BILEVEL_EMULATED_COMPILER) > 1 && sizeof(BILEVEL_EMULATED_CACHE) > 1);

namespace emulated {

namespace {
std::map<std::string, std::string_view>& modules() {  // of each kernel
    static std::map<std::string, std::string_view> all;
    return all;
}
template <class T> T number_at(const char* data) {
    T value;
    std::memcpy(&value, data, sizeof value);
    return value;
}
std::string quoted(const std::string& text) { return "'" + text + "'"; }
std::string content(const std::string& file) {
    std::ifstream in(file);
    return {std::istreambuf_iterator<char>(in), {}};
}
void call(const std::string& command) {
    if (std::system(("env -u LD_PRELOAD " + command).c_str()) != 0) refuse("failed: " + command);
}
}  // namespace

void add_module(const void* fat_binary) {
    // A magic number and a version, and where the container is; there a head of so many bytes, and behind it entries, each with a head of its own.
    constexpr std::uint32_t of_wrapper = 0x466243b1, of_container = 0xBA55ED50;
    constexpr std::uint16_t ptx = 1;
    const char* const wrapper = static_cast<const char*>(fat_binary);
    const char* at = number_at<const char*>(wrapper + 8);
    if (number_at<std::uint32_t>(wrapper) != of_wrapper || number_at<std::uint32_t>(at) != of_container)
        refuse("this is no module of nvcc's");
    const char* const end = at + number_at<std::uint16_t>(at + 6) + number_at<std::uint64_t>(at + 8);
    for (at += number_at<std::uint16_t>(at + 6); at < end; at += number_at<std::uint32_t>(at + 4) + number_at<std::uint64_t>(at + 8)) {
        if (number_at<std::uint16_t>(at) != ptx) continue;
        const char* const text = at + number_at<std::uint32_t>(at + 4);
        const std::string_view module(text, strnlen(text, number_at<std::uint64_t>(at + 8)));
        if (module.find(".version") == module.npos) refuse("the PTX of a module is compressed: build it with -DBILEVEL_EMULATED_DEVICE=ON");
        constexpr std::string_view entry = ".entry ";
        for (std::size_t i = module.find(entry); i != module.npos; i = module.find(entry, i + 1)) {
            const std::size_t name = i + entry.size();
            modules().emplace(module.substr(name, module.find_first_of("( \n", name) - name), module);
        }
    }
}

const kernel& kernel_of(const std::string& name) {
    static std::map<std::string, const kernel*> compiled;
    const kernel*& found = compiled[name];
    if (found != nullptr) return *found;
    const auto module = modules().find(name);
    if (module == modules().end()) refuse("no module has PTX of a kernel " + name);
    // A kernel's text from its head to that of the next one, and what translates it, say whether it is the one that was compiled before.
    static const std::string translation =
        content(BILEVEL_EMULATED_SOURCES "/translate.py") + content(BILEVEL_EMULATED_SOURCES "/kernel.hpp");
    const std::size_t begin = module->second.find(name), next = module->second.find(".entry ", begin);
    const std::string text(module->second.substr(begin, next == module->second.npos ? next : next - begin));
    const std::filesystem::path folder = BILEVEL_EMULATED_CACHE;
    const std::string library = (folder / (std::to_string(std::hash<std::string>{}(text + translation)) + ".so")).string();
    if (!std::filesystem::exists(library)) {
        std::filesystem::create_directories(folder);
        const std::string mine = (folder / std::to_string(getpid())).string();
        std::ofstream(mine + ".ptx") << ".entry " << text;
        call("python3 " BILEVEL_EMULATED_SOURCES "/translate.py " + quoted(mine + ".ptx") + " " + quoted(name) + " >" +
             quoted(mine + ".cpp"));
        call(BILEVEL_EMULATED_COMPILER
             " -std=c++20 -O1 -march=native -ffp-contract=off -fno-strict-aliasing -fPIC -shared -w -I" BILEVEL_EMULATED_SOURCES " " +
             quoted(mine + ".cpp") + " -o " + quoted(mine + ".so"));
        std::filesystem::rename(mine + ".so", library);
        std::filesystem::remove(mine + ".ptx");
        std::filesystem::remove(mine + ".cpp");
    }
    void* const loaded = dlopen(library.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (loaded == nullptr) refuse(std::string("cannot load a kernel: ") + dlerror());
    found = static_cast<const kernel*>(dlsym(loaded, "emulated_kernel"));
    if (found == nullptr) refuse("a kernel's library has no kernel: " + library);
    return *found;
}

}  // namespace emulated
