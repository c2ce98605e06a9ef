#include "executor/operations.hpp"

#include "base/crypto.hpp"
#include "base/log.hpp"
#include "base/text.hpp"

#include <charconv>
#include <memory>

namespace ccbt::executor {

namespace {

constexpr std::size_t worth_a_worker = 512 * 1024; // to be hashed: more takes over a millisecond
constexpr std::size_t digest_size = 64, status_size = 3;
constexpr std::size_t most_kept = std::size_t{1} << 20;

std::string packed(std::string_view request, int status, std::string_view body) {
    std::string out{request};
    out += std::to_string(status);
    out += body;
    return out;
}

} // namespace

std::string operations::id_of(std::string_view principal, std::string_view key) {
    std::string both{principal};
    both += '\n'; // stands in no principal
    both += key;
    return text::to_hex(crypto::sha256(both));
}

task<std::string> operations::digest_of(std::string_view head, std::string_view body) {
    auto digest = [body] { return crypto::sha256(body); };
    crypto::digest of_body{};
    if (body.size() < worth_a_worker)
        of_body = digest();
    else
        of_body = co_await off_loop(on_, digest);
    std::string all{head};
    all += text::to_hex(of_body);
    co_return text::to_hex(crypto::sha256(all));
}

task<std::optional<operations::kept>> operations::answered(std::string id) {
    auto load = [this, id = std::move(id)](auto done) { truth_.load_answer(id, std::move(done)); };
    auto const found = co_await reply_of<std::shared_ptr<std::string const>>(std::move(load));
    std::optional<kept> out;
    if (!found || found->size() < digest_size + status_size) co_return out;
    kept was{found->substr(0, digest_size), 0, found->substr(digest_size + status_size)};
    auto const* const digits = found->data() + digest_size;
    std::from_chars(digits, digits + status_size, was.status);
    out = std::move(was);
    co_return out;
}

void operations::put_answer(store::commit& into) {
    if (into.operation_id.empty()) return;
    auto const at = underway_.find(into.operation_id);
    if (at == underway_.end() || at->second.foreseen.empty() || at->second.foreseen.size() > most_kept) {
        into.operation_id.clear();
        return;
    }
    into.answer = packed(at->second.request, 200, at->second.foreseen);
    at->second.put = at->second.foreseen;
}

task<> operations::keep(std::string id, int status, std::string body) {
    auto const at = underway_.find(id);
    if (at == underway_.end() || body.size() > most_kept) co_return;
    if (status == 200 && at->second.put == body) co_return;
    store::commit what;
    what.answer = packed(at->second.request, status, body);
    what.operation_id = std::move(id);
    auto const held = std::make_shared<store::commit>(std::move(what));
    auto start = [this, held](auto done) { truth_.commit_change(std::move(*held), std::move(done)); };
    auto const how = co_await reply_of<store::outcome>(std::move(start));
    if (how != store::outcome::committed)
        log::warning("an answer could not be kept for its Idempotency-Key: a repeat is done again");
}

} // namespace ccbt::executor
