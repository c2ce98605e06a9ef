// What was answered to a request with an Idempotency-Key, so that its repeat is answered the same and not done again.
// Loop thread. A deed says beforehand what it will answer (`foresee`), and its commit takes that along: effect and
// answer are on stable storage together. What no deed foresaw is kept by a commit of its own, before the answer goes
// out. Knows neither HTTP nor JSON: who begins an operation brings how an answer is written.
// docs/decisions/idempotency.md says why.
#pragma once

#include "executor/turn.hpp"
#include "store/truth.hpp"

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <typeindex>
#include <unordered_map>
#include <utility>

namespace ccbt::executor {

class operations {
public:
    operations(loop& on, store::truth& truth) : on_{on}, truth_{truth}, turns_{on} {}

    struct kept {
        std::string request; // the digest of what was asked
        int status = 0;
        std::string body;
    };

    /// The id of a caller's key: another caller's same key is another id.
    [[nodiscard]] static std::string id_of(std::string_view principal, std::string_view key);
    /// Of what is asked, in hex. `head` and `body` live until then.
    [[nodiscard]] task<std::string> digest_of(std::string_view head, std::string_view body);

    /// Who holds it is the only one at work under that id.
    [[nodiscard]] task<turns<std::string>::hold> take(std::string id) { return turns_.take(std::move(id)); }
    /// What was answered under that id within a day, if anything.
    [[nodiscard]] task<std::optional<kept>> answered(std::string id);

    /// While it is there, deeds foresee their answers under that id. Hold its turn.
    class underway {
    public:
        underway(
            operations& in, std::string id, std::string request, std::type_index response,
            std::function<std::string(void const*)> write)
            : in_{in}, id_{std::move(id)} {
            in_.underway_.insert_or_assign(id_, doing{std::move(request), response, std::move(write), {}});
        }
        ~underway() { in_.underway_.erase(id_); }
        underway(underway const&) = delete;
        underway& operator=(underway const&) = delete;

    private:
        operations& in_;
        std::string id_;
    };
    /// What will be answered if the next commit of that operation succeeds. Of no operation: nothing.
    template <class Response> void foresee(std::string const& id, Response const& what) {
        auto const at = underway_.find(id);
        if (at != underway_.end() && at->second.response == std::type_index{typeid(Response)})
            at->second.foreseen = at->second.write(&what);
    }
    /// Puts what was foreseen into the commit.
    void put_answer(store::commit& into);
    /// The deed was done and is answered so: kept, unless its commit took just that along.
    [[nodiscard]] task<> keep(std::string id, int status, std::string body);

private:
    struct doing {
        std::string request;
        std::type_index response;
        std::function<std::string(void const*)> write;
        std::string foreseen;
        std::string put{}; // what a commit has taken along
    };

    loop& on_;
    store::truth& truth_;
    turns<std::string> turns_;
    std::unordered_map<std::string, doing> underway_;
};

} // namespace ccbt::executor
