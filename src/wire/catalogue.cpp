#include "wire/catalogue.hpp"

#include "contract/events.hpp"
#include "contract/settings.hpp"
#include "contract/table.hpp"
#include "wire/codec.hpp"

#include <algorithm>
#include <map>

namespace ccbt::wire {

namespace {

template <class T> struct plain {
    using type = T;
};
template <class T> struct plain<std::optional<T>> : plain<T> {};
template <class T> struct plain<contract::prepared<T>> : plain<T> {};
template <class T> struct plain<contract::tagged<T>> : plain<T> {};
template <class T> using plain_t = typename plain<T>::type;
template <class T> inline constexpr bool is_tagged_type = false;
template <class T> inline constexpr bool is_tagged_type<contract::tagged<T>> = true;

template <class T> consteval field_kind kind_of() {
    if constexpr (std::same_as<T, bool>)
        return field_kind::flag;
    else if constexpr (whole_number<T>)
        return field_kind::whole;
    else if constexpr (std::floating_point<T>)
        return field_kind::number;
    else if constexpr (std::same_as<T, std::string>)
        return field_kind::text;
    else if constexpr (std::same_as<T, contract::info_hash>)
        return field_kind::hash;
    else if constexpr (named_enum<T>)
        return field_kind::choice;
    else if constexpr (is_vector<T>)
        return field_kind::list;
    else if constexpr (described<T>)
        return field_kind::object;
    else
        return field_kind::any;
}

// GCC: "... [with T = ccbt::contract::x; ...]", clang: "... [T = ccbt::contract::x]".
template <class T> constexpr std::string_view spelled() {
    std::string_view s = __PRETTY_FUNCTION__;
    s.remove_prefix(s.find("T = ") + 4);
    return s.substr(0, s.find_first_of(";]"));
}

// "torrents.add" -> "TorrentsAdd", "ccbt::contract::get_global_stats::more" -> "GetGlobalStatsMore".
std::string pascal(std::string_view from) {
    std::string out;
    bool capital = true;
    for (std::size_t i = 0; i < from.size(); ++i) {
        for (std::string_view const room : {"ccbt::contract::", "ccbt::"})
            if (from.substr(i).starts_with(room)) i += room.size();
        char const c = from[i];
        bool const letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (letter) out += capital && c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
        capital = !letter;
    }
    return out;
}

template <class T> std::string type_name() { return pascal(spelled<T>()); }

template <class T> std::vector<field_facts> facts_of();

template <class T> void note_type(field_facts& into) {
    if constexpr (named_enum<T>) {
        for (auto const& [v, name] : contract::names_of<T>) into.choices.push_back(name);
        into.any_case = contract::ignores_case<T>;
        into.type = type_name<T>();
    } else if constexpr (described<T>) {
        into.members = facts_of<T>();
        into.omits_absent = omits_absent<T>;
        into.type = type_name<T>();
    }
}

template <class T> std::vector<field_facts> facts_of() {
    std::vector<field_facts> all;
    static T const fresh{};
    T::fields.each([&](auto const& f) {
        using declared = typename std::remove_cvref_t<decltype(f)>::type;
        using type = plain_t<declared>;
        field_facts one;
        one.name = f.name();
        one.member = f.member_name;
        one.doc = f.doc;
        one.rule = f.rule;
        one.kind = kind_of<type>();
        one.nullable = is_optional<declared>;
        if constexpr (!is_prepared<declared>) one.default_json = to_json(fresh.*(f.member));
        if constexpr (is_vector<type>) {
            using item = plain_t<typename type::value_type>;
            one.item_kind = kind_of<item>();
            note_type<item>(one);
        } else {
            note_type<type>(one);
        }
        all.push_back(std::move(one));
    });
    return all;
}

template <class Endpoint> endpoint_facts endpoint() {
    using request = typename Endpoint::request;
    using response = typename Endpoint::response;
    endpoint_facts e;
    e.route = Endpoint::route;
    e.request = facts_of<request>();
    e.request_type = pascal(e.route.name) + "Request";
    e.is_document = std::same_as<response, contract::document>;
    e.is_socket = std::same_as<response, contract::upgrade>;
    e.is_tagged = is_tagged_type<response>;
    if constexpr (described<plain_t<response>>) {
        using type = plain_t<response>;
        e.response = facts_of<type>();
        e.omits_absent = omits_absent<type>;
        // A struct of the endpoint's own is named for the route, a shared one for itself.
        e.response_type = spelled<type>().starts_with(std::string{spelled<Endpoint>()} + "::")
                              ? pascal(e.route.name) + "Response"
                              : type_name<type>();
    }
    return e;
}

using names = std::map<std::string, std::string>; // a type's own name -> its name as a request or an answer

// Where an endpoint's request or answer stands inside another's it keeps the name that it has as its own.
void rename(std::vector<field_facts>& fields, names const& to) {
    for (auto& f : fields) {
        if (auto const at = to.find(f.type); at != to.end()) f.type = at->second;
        rename(f.members, to);
    }
}

} // namespace

std::string field_facts::word() const {
    if (!rule.word.empty()) return std::string{rule.word};
    std::string out{name};
    std::replace(out.begin(), out.end(), '_', '-');
    return out;
}

std::vector<endpoint_facts> const& catalogue() {
    static auto const all = [] {
        std::vector<endpoint_facts> list;
        names own;
        contract::all_endpoints::each([&]<class E>() {
            list.push_back(endpoint<E>());
            own[type_name<typename E::request>()] = list.back().request_type;
            if (!list.back().response_type.empty())
                own[type_name<plain_t<typename E::response>>()] = list.back().response_type;
        });
        for (auto& e : list) {
            rename(e.request, own);
            rename(e.response, own);
        }
        return list;
    }();
    return all;
}

endpoint_facts const* find_endpoint(std::string_view name) {
    auto const& all = catalogue();
    auto const at = std::find_if(all.begin(), all.end(), [&](auto const& e) { return e.route.name == name; });
    return at == all.end() ? nullptr : &*at;
}

std::vector<field_facts> const& settings_facts() {
    static auto const all = facts_of<contract::settings>();
    return all;
}

std::vector<field_facts> const& event_facts() {
    static auto const all = facts_of<contract::event>();
    return all;
}

} // namespace ccbt::wire
