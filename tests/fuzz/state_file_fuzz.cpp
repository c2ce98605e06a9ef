// backup/state_file: the file of an export, read by an import. The first byte says in what pieces it is read, and
// whether its checksum is made good first, since chance finds none.
#include "backup/state_file.hpp"
#include "base/text.hpp"
#include "fuzz.hpp"
#include "wire/codec.hpp"

#include <algorithm>
#include <cstring>

namespace ccbt::fuzz {

namespace {

struct outcome {
    std::string head;
    std::vector<std::string> torrents;
    std::optional<backup::damage> damaged;
    bool operator==(outcome const& o) const {
        return head == o.head && torrents == o.torrents && damaged.has_value() == o.damaged.has_value() &&
               (!damaged || (damaged->what == o.damaged->what && damaged->why == o.damaged->why));
    }
};

outcome read(std::string_view text, std::size_t piece) {
    backup::state_reader reader{[&text, piece](char* to, std::size_t room) {
        auto const some = std::min({room, piece, text.size()});
        std::memcpy(to, text.data(), some);
        text.remove_prefix(some);
        return static_cast<std::ptrdiff_t>(some);
    }};
    outcome out;
    auto const head = reader.head();
    if (!head) {
        out.damaged = head.error();
        return out;
    }
    out.head = wire::to_json(*head);
    for (;;) {
        auto const one = reader.next();
        if (!one) {
            out.damaged = one.error();
            return out;
        }
        if (!*one) break;
        out.torrents.push_back(wire::to_json(**one));
    }
    require(reader.count() == static_cast<std::int64_t>(out.torrents.size()), "torrents are counted");
    return out;
}

std::string with_good_end(std::string_view text) {
    constexpr std::string_view mark = "\"checksum\":";
    auto const at = text.rfind(mark);
    std::string out{text.substr(0, at)};
    backup::digest sum;
    sum.take(out);
    return out + std::string{mark} + '"' + sum.hex() + "\"}\n";
}

std::string write(outcome const& of) {
    backup::state_writer writer;
    auto text = writer.begin(*wire::from_json<backup::kept_head>(of.head));
    for (auto const& one : of.torrents) text += writer.add(*wire::from_json<backup::kept_torrent>(one));
    return text + writer.end();
}

} // namespace

void look_at(std::string_view bytes) {
    auto const how = take_byte(bytes);
    std::string const text = how % 2 == 0 ? with_good_end(bytes) : std::string{bytes};
    auto const first = read(text, std::size_t{1} << 20);
    require(first == read(text, how / 2 * 16 + 7), "pieces of any size are the same file", text);
    if (first.damaged) {
        require(text::is_valid_utf8(first.damaged->why), "damage is told in UTF-8", first.damaged->why);
        return;
    }
    auto const written = write(first);
    require(first == read(written, std::size_t{1} << 20), "what is written reads back the same", written);
}

} // namespace ccbt::fuzz
