#include "store/sqlite_rows.hpp"

#include <cmath>
#include <cstring>
#include <new>
#include <openssl/evp.h>

namespace ccbt::store {

// Small values are gathered first: a call into OpenSSL costs more than hashing them.
struct row_checksum::digest {
    EVP_MD* kind = EVP_MD_fetch(nullptr, "SHA256", nullptr);
    EVP_MD_CTX* context = EVP_MD_CTX_new();
    std::string gathered;

    void flush() {
        if (!gathered.empty()) EVP_DigestUpdate(context, gathered.data(), gathered.size());
        gathered.clear();
    }
};

row_checksum::row_checksum() : digest_{std::make_unique<digest>()} {
    if (!digest_->kind || !digest_->context) throw std::bad_alloc{};
}

row_checksum::~row_checksum() {
    EVP_MD_CTX_free(digest_->context);
    EVP_MD_free(digest_->kind);
}

void row_checksum::begin(std::string_view table) {
    EVP_DigestInit_ex2(digest_->context, digest_->kind, nullptr);
    digest_->gathered.clear();
    add_text(table);
}

void row_checksum::add(char type, void const* data, std::size_t size) {
    auto& gathered = digest_->gathered;
    gathered += type;
    for (unsigned shift = 0; shift < 64; shift += 8)
        gathered += static_cast<char>(std::uint64_t{size} >> shift);
    if (size <= 512) {
        if (size != 0) gathered.append(static_cast<char const*>(data), size);
        return;
    }
    digest_->flush();
    EVP_DigestUpdate(digest_->context, data, size);
}

void row_checksum::add_null() { add('n', nullptr, 0); }
void row_checksum::add(std::int64_t value) { add('i', &value, sizeof value); }
void row_checksum::add_text(std::string_view value) { add('t', value.data(), value.size()); }
void row_checksum::add_blob(byte_view value) { add('b', value.data(), value.size()); }

void row_checksum::add(double value) {
    if (value == 0) value = 0; // SQLite does not keep the sign of a zero
    add('r', &value, sizeof value);
}

std::int64_t row_checksum::finish() {
    digest_->flush();
    std::array<unsigned char, EVP_MAX_MD_SIZE> out{};
    EVP_DigestFinal_ex(digest_->context, out.data(), nullptr);
    std::int64_t first = 0;
    std::memcpy(&first, out.data(), sizeof first);
    return first;
}

id_bytes to_bytes(contract::torrent_id id) {
    id_bytes out{};
    for (unsigned i = 0; i < 8; ++i) {
        out[i] = static_cast<std::uint8_t>(id.high >> (56 - 8 * i));
        out[i + 8] = static_cast<std::uint8_t>(id.low >> (56 - 8 * i));
    }
    return out;
}

contract::torrent_id to_id(byte_view bytes) {
    contract::torrent_id id;
    if (bytes.size() != 16) return id;
    for (unsigned i = 0; i < 8; ++i) {
        id.high = id.high << 8 | bytes[i];
        id.low = id.low << 8 | bytes[i + 8];
    }
    return id;
}

row_writer& row_writer::null() {
    into_.bind_null(at_++);
    sum_.add_null();
    return *this;
}
row_writer& row_writer::integer(std::int64_t value) {
    into_.bind(at_++, value);
    sum_.add(value);
    return *this;
}
row_writer& row_writer::real(double value) {
    if (std::isnan(value)) value = 0;
    into_.bind(at_++, value);
    sum_.add(value);
    return *this;
}
row_writer& row_writer::text(std::string_view value) {
    into_.bind_text(at_++, value);
    sum_.add_text(value);
    return *this;
}
row_writer& row_writer::blob(byte_view value) {
    into_.bind_blob(at_++, value);
    sum_.add_blob(value);
    return *this;
}
row_writer& row_writer::id(contract::torrent_id value) {
    auto& kept = ids_.at(ids_used_++);
    kept = to_bytes(value);
    return blob(kept);
}
row_writer& row_writer::hash(contract::info_hash const& value) {
    return value ? blob(value.bytes()) : null();
}

int row_writer::run(std::int64_t row) {
    into_.bind(at_++, sum_.finish());
    if (row != 0) into_.bind(at_, row);
    return into_.run();
}

bool intact(statement const& at, row_checksum& sum, std::string_view table, int first) {
    auto const last = at.columns() - 1;
    sum.begin(table);
    for (int i = first; i < last; ++i) {
        switch (at.type(i)) {
        case SQLITE_INTEGER: sum.add(at.integer(i)); break;
        case SQLITE_FLOAT: sum.add(at.real(i)); break;
        case SQLITE_TEXT: sum.add_text(at.text(i)); break;
        case SQLITE_BLOB: sum.add_blob(at.blob(i)); break;
        default: sum.add_null(); break;
        }
    }
    return at.type(last) == SQLITE_INTEGER && at.integer(last) == sum.finish();
}

std::vector<std::uint8_t> pack(std::vector<std::string> const& strings) {
    std::vector<std::uint8_t> out;
    for (auto const& s : strings) {
        for (unsigned shift = 0; shift < 32; shift += 8)
            out.push_back(static_cast<std::uint8_t>(s.size() >> shift));
        out.insert(out.end(), s.begin(), s.end());
    }
    return out;
}

bool unpack(byte_view packed, std::vector<std::string>& strings) {
    strings.clear();
    while (!packed.empty()) {
        if (packed.size() < 4) return false;
        std::size_t size = 0;
        for (unsigned i = 0; i < 4; ++i) size |= std::size_t{packed[i]} << (8 * i);
        packed = packed.subspan(4);
        if (packed.size() < size) return false;
        strings.emplace_back(packed.begin(), packed.begin() + static_cast<std::ptrdiff_t>(size));
        packed = packed.subspan(size);
    }
    return true;
}

} // namespace ccbt::store
