#include "detect/tool/asked_for.h"

#include <algorithm>
#include <array>
#include <string>
#include <vector>

namespace tagout::detect {

namespace {

/// Beginnings of at most five letters, in both lists, parted by blanks: the index keeps five.
struct Family {
    std::string_view verbs;  ///< In a tool's name.
    std::string_view words;  ///< In the user's mouth.
};

constexpr std::array families{
    Family{"refun reimb", "refun money reimb retur charg back cance compl"},
    Family{"retur", "retur refun send back"},
    Family{"excha swap", "excha swap repla chang diffe inste anoth retur"},
    Family{"cance void termi", "cance stop call off delet remov quit undo refun unsub"},
    Family{
        "send mail email messa notif forwa tell sms post reply remin conta",
        "send mail email e-mai messa notif forwa tell infor write share reply respo answe text ask "
        "remin "
        "let invit conta publi post drop annou thank greet sum give"},
    Family{
        "pay trans wire depos withd payme charg money fund funds",
        "pay trans wire send money settl bill rent refun "
        "depos withd charg split cover owe purch top buy"},
    Family{"buy purch order check place", "buy purch order get check place need want add"},
    Family{
        "book reser sched rebok rebook",
        "book reser sched appoi reses rebok rebook plan trave fly fligh "
        "ticke stay trip table meeti arran event hotel need want invit resch"},
    Family{
        "creat add inser make open regis new uploa write append appen save store put set label "
        "assig attac",
        "creat add inser make open regis new start write put set up save store recor appen sched "
        "file "
        "note uploa gener draft label assig attac list inclu invit log enter sign plan book copy "
        "downl"},
    Family{
        "updat edit modif chang patch renam adjus set resch move upgra downg",
        "updat edit modif chang patch renam adjus set corre fix move make switc resch repla edit "
        "incre "
        "decre raise lower add remov upgra downg diffe inste wrong shift post push edit reset "
        "renew "
        "compl mark"},
    Family{
        "delet remov erase drop purge clear",
        "delet remov erase drop purge clear clean get rid cance "
        "empty take unsub"},
    Family{
        "share invit grant publi uploa expor",
        "share invit grant publi uploa send give acces add allow "
        "expor downl copy post"},
    Family{
        "execu run eval bash shell exec",
        "run execu scrip comma code eval test build insta list file "
        "check fix write find"},
    Family{"escal trans hando", "escal human agent perso manag super repre speak talk someo"},
    Family{"issue credi compe certi", "issue credi compe certi vouch refun money apolo"},
    Family{"resol close", "resol close done finis compl solve fix addre"},
    Family{
        "star fork clone merge pull push commi",
        "star fork clone merge pull push commi repo branc addre issue like favor bookm upda updat"},
};

/// Of the words above, as the index keeps them.
constexpr std::array no_acts{
    std::string_view{"conta"},  // contact, but contain as well
    std::string_view{"e-mai"},
    std::string_view{"email"},
    std::string_view{"give"},
    std::string_view{"mail"},
    std::string_view{"messa"},
    std::string_view{"sms"},
    std::string_view{"tell"},
    std::string_view{"text"},
};

template <class Visit>
void for_each_word(std::string_view list, Visit&& visit) {
    std::size_t start = 0;
    while (start < list.size()) {
        const std::size_t end = std::min(list.find(' ', start), list.size());
        visit(list.substr(start, end - start));
        start = end + 1;
    }
}

/// Words of a name in lower case, cut at signs and at capitals.
std::vector<std::string> words_of(std::string_view name) {
    std::vector<std::string> words(1);
    for (const char c : name.substr(0, 100)) {
        const bool upper = c >= 'A' && c <= 'Z';
        const bool letter = upper || (c >= 'a' && c <= 'z');
        if ((!letter || upper) && !words.back().empty()) {
            words.emplace_back();
        }
        if (letter) {
            words.back() += upper ? static_cast<char>(c - 'A' + 'a') : c;
        }
    }
    return words;
}

template <class Said>
bool said_any(Said&& said, std::string_view list) {
    bool found = false;
    for_each_word(list, [&](std::string_view word) { found = found || said(word); });
    return found;
}

template <class Said>
bool any_word_for(Said&& said, std::string_view tool_name) {
    bool known = false;
    const std::vector<std::string> words = words_of(tool_name);
    for (const std::string& word : words) {
        for (const Family& family : families) {
            bool member = false;
            for_each_word(family.verbs, [&](std::string_view verb) {
                member = member || std::string_view(word).substr(0, 5) == verb;
            });
            if (member) {
                known = true;
                if (said_any(said, family.words)) {
                    return true;
                }
            }
        }
    }
    return !known && std::ranges::any_of(words, [&](const std::string& word) {
        return word.size() >= 3 && said(word);
    });
}

}  // namespace

bool asked_for(const ValueIndex& said, std::string_view tool_name) {
    return any_word_for([&](std::string_view word) { return said.user_said(word); }, tool_name);
}

bool asked_for_act(const ValueIndex& said, std::string_view tool_name) {
    return any_word_for(
        [&](std::string_view word) {
            return std::ranges::find(no_acts, word.substr(0, 5)) == no_acts.end() &&
                   said.user_said(word);
        },
        tool_name
    );
}

bool requested_by_result(const ValueIndex& said, std::string_view tool_name) {
    return any_word_for(
        [&](std::string_view word) { return said.result_requested(word); }, tool_name
    );
}

}  // namespace tagout::detect
