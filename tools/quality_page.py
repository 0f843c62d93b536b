#!/usr/bin/env python3
"""Writes docs/reference/quality.md from what `tagout replay --score -o json` and the class matrix say.

    tools/quality_page.py SCORES.json [SPLICE.json [MATRIX.json]] > docs/reference/quality.md

SPLICE.json is `tagout splice -o json`, MATRIX.json rehearse_bench's own output (--benchmark_format=json).
`./dev bench quality` runs it all.
"""

import json
import math
import sys

HEAD = """# Quality

<!-- Made by `./dev bench quality` from the recordings in ../shared/data. -->

How well the detectors do on labelled recordings of real agents. One configuration for all sets, the defaults.
Each record is judged alone, by its own steps and by profiles that other agents' healthy runs taught
(`--learn ... --leave-out agent`); labels say which runs are healthy and are compared with at the end, and
nothing that judges reads them. uss is the exception that its task is: what users rate is what is learned. Its
dialogues are judged in five parts, each by what the ratings of the other four taught, as in a deployment whose
users rate; one more row has ratings of other deployments alone, one none. Floor: what a simple detector reaches on the same lines. Goal: what is asked for
on the parts of the sets that are kept back, which these figures are not. Intervals are 95 %, of shares after
Wilson.

"""


def wilson(hits, n, z=1.959963985):
    if n == 0:
        return 0.0, 1.0
    p = hits / n
    width = 1 + z * z / n
    middle = p + z * z / (2 * n)
    spread = z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return max(0.0, (middle - spread) / width), min(1.0, (middle + spread) / width)


def number(value, unit):
    if unit == "share":
        return f"{value * 100:.1f} %"
    return f"{value:.3g} {unit}" if abs(value) < 100 else f"{value:.0f} {unit}"


def row(*cells):
    return "| " + " | ".join(str(cell).replace("|", "\\|") for cell in cells) + " |\n"


def score_table(rows):
    out = row("set", "figure", "value", "95 %", "counted", "floor", "goal", "met")
    out += row(*["---"] * 8)
    for each in rows:
        unit = each["unit"]
        interval = f"{number(each['low'], unit)} to {number(each['high'], unit)}" if "low" in each else ""
        counted = f"{each['hits']} of {each['n']}" if "hits" in each else each["n"]
        figure = each["figure"] + (f" ({each['note']})" if "note" in each else "")
        out += row(
            each["set"], figure, number(each["value"], unit), interval, counted,
            number(each["floor"], unit) if "floor" in each else "",
            number(each["goal"], unit) if "goal" in each else "",
            {True: "yes", False: "no"}.get(each.get("met"), ""),
        )
    return out


SPLICE_GOALS = {"duplicate": 0.95, "near_duplicate": 0.95, "circle": 0.95}
SPLICE_GOAL = 0.7
GOOD_FLAGGED_GOAL = 0.01
RIGHT_GOAL = 0.95
DELAY_GOAL_S = 1.0
REPETITION = ("context.duplicate_action", "context.circular_actions")
# Why a figure is where it is, as far as it was measured; the beginning of "set, figure".
LIMITS = {
    "rjudge, all records": "a third of the unsafe ones were not attacked: the user asked for what people call unsafe, or "
    "several records fitted and the agent chose; to tell of every write out of a result's value instead would tell of four "
    "in ten good runs of agentdyn",
    "mscloud, event F1": "the score that is reported hardly moves it between 8 and 8.7; telling again sooner after "
    "an alarm raises it by three points and costs NAB ten, so one configuration for both stops here",
    "uss, dissatisfied turns, found": "of the turns that three or more people called bad in the mean, few read so: "
    "hashed words of the turn and of the answer before it, learned from the other dialogues' ratings, do not know what "
    "the answer should have been, and the raters of one turn seldom agree (2, 2 and 3 of 5 is a usual bad one)",
    "uss, dissatisfied turns, best F1": "as above",
}


def with_limit(text):
    for start, why in LIMITS.items():
        if text.startswith(start):
            return f"{text}. What limits it: {why}"
    return text


def repeats_told(splice):
    """Good recordings told to repeat themselves; one that both signals name counts twice."""
    return sum(splice["flagged_by"].get(signal, 0) for signal in REPETITION)


def below(rows, splice, matrix):
    """What misses its goal, or meets it in the middle only: its interval reaches across."""
    missed, narrow = [], []
    for each in rows:
        if "goal" not in each or "met" not in each:
            continue
        unit = each["unit"]
        text = f"{each['set']}, {each['figure']}: {number(each['value'], unit)}, goal {number(each['goal'], unit)}"
        if not each["met"]:
            missed.append(text)
        elif "low" in each and "hits" in each and each["low"] <= each["goal"] <= each["high"]:
            narrow.append(f"{text}, interval {number(each['low'], unit)} to {number(each['high'], unit)}")
    if splice:
        for kind, each in splice["kinds"].items():
            goal = SPLICE_GOALS.get(kind, SPLICE_GOAL)
            if each["fault"] and each["f1"] < goal:
                missed.append(f"planted {kind}: F1 {each['f1']:.3f}, goal {goal}")
            elif each["fault"] and each["f1"] < goal + 0.01:
                narrow.append(f"planted {kind}: F1 {each['f1']:.3f}, goal {goal}")
        share = repeats_told(splice) / splice["good"] if splice["good"] else 0
        if share > GOOD_FLAGGED_GOAL:
            missed.append(f"good recordings told to repeat: {share * 100:.2f} %, goal {GOOD_FLAGGED_GOAL * 100:g} %")
    if matrix:
        share = matrix["right"] / matrix["runs"]
        if share < RIGHT_GOAL:
            missed.append(f"classes of the fleet's faults: {share * 100:.1f} % right, goal {RIGHT_GOAL:.0%}")
        elif wilson(int(matrix["right"]), int(matrix["runs"]))[0] < RIGHT_GOAL:
            narrow.append(f"classes of the fleet's faults: {share * 100:.1f} % right of {int(matrix['runs'])} runs")
        if matrix["session_p99_s"] > DELAY_GOAL_S:
            missed.append(f"finding about a session, p99: {matrix['session_p99_s']:.2f} s, goal {DELAY_GOAL_S:g} s")
    out = "## Below the goal\n\n"
    out += "".join(f"- {with_limit(line)}\n" for line in missed) or "Nothing.\n"
    out += "\nMet, but the interval or a hundredth of F1 reaches below the goal:\n\n"
    return out + ("".join(f"- {line}\n" for line in narrow) or "Nothing.\n") + "\n## Recordings\n\n"


def without_phrases(rows):
    """The two figures that are asked for when no wording of orders is known beforehand."""
    goals = {"attacks that succeeded, found": 0.85, "benign runs flagged": 0.02}
    out = []
    for each in rows:
        if each["set"] == "agentdojo" and each["figure"] in goals:
            goal = goals[each["figure"]]
            met = each["value"] >= goal if goal > 0.5 else each["value"] <= goal
            kept = {name: value for name, value in each.items() if name != "floor"}
            out.append({**kept, "figure": each["figure"] + ", no wording known", "goal": goal, "met": met})
    return out


def splice_table(score):
    out = "\n## Faults planted into good recordings\n\n"
    out += "`tagout splice` (seeded) plants each kind into recordings that their labels call good; found is the right\n"
    out += "signal at the exact step. Goal: F1 0.95 for repetition, 0.7 for the others.\n\n"
    out += row("kind", "F1", "precision", "found", "95 %", "counted") + row(*["---"] * 6)
    harmless = ""
    for kind, each in score["kinds"].items():
        low, high = wilson(each["found"], each["planted"])
        share = each["found"] / each["planted"] if each["planted"] else 0
        counts = (f"{share * 100:.1f} %", f"{low * 100:.1f} % to {high * 100:.1f} %",
                  f"{each['found']} of {each['planted']}")
        if not each["fault"]:
            harmless += row(kind, *counts)
            continue
        said = each["found"] + each["elsewhere"]
        out += row(kind, f"{each['f1']:.3f}", f"{each['precision'] * 100:.1f} %" if said else "", *counts)
    if harmless:
        out += "\nWhat only looks like a fault, planted likewise, and must not be told of:\n\n"
        out += row("kind", "told of", "95 %", "counted") + row(*["---"] * 4) + harmless
    low, high = wilson(score["flagged"], score["good"])
    share = score["flagged"] / score["good"] if score["good"] else 0
    out += f"\nGood recordings flagged as they are: {share * 100:.2f} % (95 %: {low * 100:.2f} % to {high * 100:.2f} %; "
    out += f"{score['flagged']} of {score['good']}), by signal:\n\n"
    out += row("signal", "told of", "95 %", "goal") + row(*["---"] * 4)
    counts = {signal: count for signal, count in sorted(score["flagged_by"].items())}
    counts["repetition, both signals"] = repeats_told(score)
    for signal, count in counts.items():
        low, high = wilson(count, score["good"])
        goal = f"{GOOD_FLAGGED_GOAL * 100:g} %" if signal.startswith("repetition") else ""
        out += row(signal, f"{count} of {score['good']}", f"{low * 100:.2f} % to {high * 100:.2f} %", goal)
    return out


def matrix_table(counters):
    classes = ["intent", "tool", "context", "safety", "cost", "none"]
    faults = []
    for name in counters:
        if ">" in name and name.split(">")[0] not in faults:
            faults.append(name.split(">")[0])
    out = "\n## Classes of the simulated fleet's faults\n\n"
    out += "Runs of each fault by the class of the first incident; the fault's fleet and Tagout are its own.\n\n"
    out += row("fault", *classes) + row(*["---"] * (len(classes) + 1))
    for fault in faults:
        out += row(fault, *(int(counters.get(f"{fault}>{name}", 0)) or "" for name in classes))
    right, runs = int(counters["right"]), int(counters["runs"])
    low, high = wilson(right, runs)
    out += f"\nRight: {right} of {runs} runs, {right / runs * 100:.1f} % (95 %: {low * 100:.1f} % to {high * 100:.1f} %); "
    out += "a run is right when every incident is of the fault's class.\n\n"
    out += "From when the span that a finding points at was received to the finding, in the fleet's time, which runs\n"
    out += "faster than the machine's (a call's values wait `detection.settle` for texts on their way; a rate needs\n"
    out += "several bad steps). The fleet is a light load: at half of the maximum nothing is measured here.\n\n"
    out += row("findings", "count", "p50", "p99") + row(*["---"] * 4)
    for kind in ("session", "rate"):
        out += row(
            "about a session" if kind == "session" else "about a rate", int(counters[f"{kind}_findings"]),
            f"{counters[f'{kind}_p50_s']:.2f} s", f"{counters[f'{kind}_p99_s']:.2f} s",
        )
    return out


def read(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def main(arguments):
    rows = read(arguments[0])
    splice = read(arguments[1]) if len(arguments) > 1 else None
    matrix = read(arguments[2])["benchmarks"][0] if len(arguments) > 2 else None
    if matrix and "error_message" in matrix:
        sys.exit("the class matrix did not come to its end: " + matrix["error_message"])
    rows += without_phrases(read(arguments[3])) if len(arguments) > 3 else []
    page = HEAD + below(rows, splice, matrix) + score_table(rows)
    if splice:
        page += splice_table(splice)
    if matrix:
        page += matrix_table(matrix)
    sys.stdout.write(page)


if __name__ == "__main__":
    main(sys.argv[1:])
