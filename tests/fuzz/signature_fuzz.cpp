// server/authority and contract/signature: the headers of a signed request. Four lines: key, time, signature, and the
// method and target that are signed; the body behind them. A line "+" stands for what a right client would send.
#include "base/text.hpp"
#include "contract/signature.hpp"
#include "fuzz.hpp"
#include "server/authority.hpp"

namespace ccbt::fuzz {

namespace {

constexpr double now = 1'700'000'000;
constexpr crypto::secret_key secret{1, 2, 3};

server::authority fresh(crypto::public_key const& trusted) {
    server::authority made;
    made.trust_signer(trusted);
    made.begins_at(now - 1000);
    return made;
}

} // namespace

void look_at(std::string_view bytes) {
    static auto const ours = *crypto::public_key_of(secret);
    static auto const our_hex = text::to_hex(ours);
    auto line = [&](std::string const& right) {
        auto const given = take_until(bytes, '\n');
        return given == "+" ? right : std::string{given};
    };
    auto const key = line(our_hex), time = line("1700000000.25"), signature = line("+");
    std::string const target = line("GET /api/v1/status");
    auto const space = target.find(' ');
    auto const text_of = [&](std::string_view body) {
        return contract::signed_text(
            target.substr(0, space), space == target.npos ? "" : target.substr(space + 1), time,
            crypto::sha256(body));
    };
    auto const right = text_of(bytes);
    auto const made = signature == "+" ? text::to_hex(*crypto::sign(secret, right)) : signature;

    auto keys = fresh(ours);
    server::moment const at{steady::time_point{}, now};
    auto const claim = keys.read({key, time, made}, "here", at);
    if (!claim) {
        require(claim.error().why == contract::errc::auth_required, "a refusal is a 401", key);
        require(keys.sources() == 1, "a wrong signature is counted");
        return;
    }
    require(text::lower(key) == our_hex, "only a trusted key claims anything", key);
    require(std::abs(claim->at - now) <= 300, "a claim is of now", time);
    require(time.find_first_not_of("0123456789.") == time.npos, "a time is plain digits", time);
    std::string const texts[] = {right};
    auto const passed = keys.verify(*claim, texts, "here", at);
    require(
        passed.has_value() == (signature == "+" || made == text::to_hex(*crypto::sign(secret, right))),
        "what is signed passes, and nothing else", right);
    if (!passed) return;
    require(!keys.verify(*claim, texts, "here", at), "a signature is good once", right);
    std::string const others[] = {text_of(std::string{bytes} + 'x'), right + '\n', right.substr(1)};
    auto again = fresh(ours);
    require(!again.verify(*claim, others, "here", at), "it covers every byte", right);
}

} // namespace ccbt::fuzz
