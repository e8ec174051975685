// SPDX-License-Identifier: GPL-2.0-only

package reproducer

import (
	"fmt"
	"slices"
	"strconv"

	"skleak/scenarios"
)

// addFilters starts the listeners and adds the rules, by nft or by iptables,
// whichever this machine and kernel can do.
func (w *writer) addFilters() {
	listening := map[string]bool{}
	for _, f := range w.sc.Filters {
		key := fmt.Sprintf("queue-%s-%d", f.Netns, f.Queue)
		if f.Action != "nfqueue" || f.Listener == nil || listening[key] {
			continue
		}
		listening[key] = true
		w.programs["queue"] = true
		args := []string{strconv.Itoa(f.Queue), orElse(f.Listener.Verdict, "accept"), strconv.Itoa(max(f.Listener.MaxLen, 0))}
		if f.Listener.MaxLen == 0 {
			args[2] = "1024"
		}
		for _, n := range f.Listener.Keep {
			args = append(args, strconv.Itoa(n))
		}
		w.finish = append(w.finish, fmt.Sprintf(`helper %s %s "$dir/probe" queue %s`, quote(key), quote(f.Netns), command(args...)))
	}
	if len(w.sc.Filters) == 0 {
		return
	}
	w.tools["nft or iptables"] = true
	for _, ns := range w.filterSpaces() {
		w.finish = append(w.finish, fmt.Sprintf("nft_rules%s() {", suffix(ns)))
		w.finish = append(w.finish, "\t"+within(ns, "nft", "add", "table", "ip", "skleak")+" || return")
		for _, f := range w.filtersIn(ns) {
			w.finish = append(w.finish, "\t"+within(ns, "nft", "add", "chain", "ip", "skleak", f.Hook,
				fmt.Sprintf("{ type filter hook %s priority 0; }", f.Hook))+" || return")
			w.finish = append(w.finish, "\t"+within(ns, nftRule(f)...)+" || return")
		}
		w.finish = append(w.finish, "}", fmt.Sprintf("iptables_rules%s() {", suffix(ns)))
		for _, f := range w.filtersIn(ns) {
			w.finish = append(w.finish, "\t"+withinTool(ns, iptablesRule(f))+" || return")
		}
		w.finish = append(w.finish, "}",
			fmt.Sprintf(`nft_rules%s 2>"$dir/nft" || { %s 2>/dev/null; iptables_rules%s iptables 2>"$dir/iptables"; } ||`,
				suffix(ns), within(ns, "nft", "delete", "table", "ip", "skleak"), suffix(ns)),
			fmt.Sprintf("\t"+`iptables_rules%s iptables-legacy 2>"$dir/legacy" ||`, suffix(ns)),
			"\t"+`skip "netfilter rules: $(cat "$dir/nft" "$dir/iptables" "$dir/legacy")"`)
	}
}

func suffix(ns string) string {
	if ns == "" {
		return ""
	}
	return "_" + ns
}

func within(ns string, words ...string) string {
	if ns == "" {
		return command(words...)
	}
	return command(append([]string{"within", ns}, words...)...)
}

// withinTool is within, of a command whose name is the function's argument.
func withinTool(ns string, words []string) string {
	if ns == "" {
		return `"$1" ` + command(words...)
	}
	return "within " + quote(ns) + ` "$1" ` + command(words...)
}

func (w *writer) filterSpaces() []string {
	var spaces []string
	for _, f := range w.sc.Filters {
		if !slices.Contains(spaces, f.Netns) {
			spaces = append(spaces, f.Netns)
		}
	}
	return spaces
}

func (w *writer) filtersIn(ns string) []scenarios.Filter {
	return slices.DeleteFunc(slices.Clone(w.sc.Filters), func(f scenarios.Filter) bool { return f.Netns != ns })
}

func entering(f scenarios.Filter) bool { return f.Hook == "prerouting" || f.Hook == "input" }

func nftRule(f scenarios.Filter) []string {
	words := []string{"nft", "add", "rule", "ip", "skleak", f.Hook}
	if f.Link != "" {
		key := "oifname"
		if entering(f) {
			key = "iifname"
		}
		words = append(words, key, f.Link)
	}
	if f.Action == "drop" {
		return append(words, "drop")
	}
	return append(words, "queue", "num", strconv.Itoa(f.Queue))
}

func iptablesRule(f scenarios.Filter) []string {
	hook := map[string]string{
		"prerouting": "PREROUTING", "input": "INPUT", "forward": "FORWARD", "output": "OUTPUT", "postrouting": "POSTROUTING",
	}[f.Hook]
	words := []string{"-w", "-t", "mangle", "-A", hook}
	if f.Link != "" {
		flag := "-o"
		if entering(f) {
			flag = "-i"
		}
		words = append(words, flag, f.Link)
	}
	if f.Action == "drop" {
		return append(words, "-j", "DROP")
	}
	return append(words, "-j", "NFQUEUE", "--queue-num", strconv.Itoa(f.Queue))
}

// ladder lists the rungs, mildest first, as skleak climbs them.
func (w *writer) ladder() []string {
	stacking := w.stacking()
	near := stacking.Nearness()
	var out []string
	rung := func(what, on, wait string, words ...string) {
		out = append(out, command("rung", what, on, wait)+" "+command(words...))
	}
	kill := func(what, on, wait, key, signal string) {
		out = append(out, command("rung", what, on, wait, "kill", "-"+signal)+fmt.Sprintf(` "$(pid %s)"`, quote(key)))
	}
	for _, lk := range near {
		if lk.helper != "" && !lk.drained {
			kill("reader drains", lk.Name, "look", lk.helper, "USR1")
		}
		if lk.PacketSocket == scenarios.UnreadPacketSocket {
			kill("reader drains", "packet socket on "+lk.Name, "look", "packet-"+lk.Netns+"-"+lk.Name, "USR1")
		}
	}
	for _, key := range w.queues() {
		kill("verdicts given", key, "look", key, "USR1")
	}
	for _, key := range w.queues() {
		rung("listener closed", key, "look long", "stop", key)
	}
	for _, ns := range w.filterSpaces() {
		out = append(out, command("rung", "filters flushed", orElse(ns, "own namespace"), "look", "within", ns, "sh", "-c")+
			` 'nft delete table ip skleak; iptables -t mangle -F; iptables-legacy -t mangle -F'`)
	}
	for _, lk := range near {
		rung("qdisc deleted", lk.Name, "look", "take_qdisc", lk.Netns, lk.Name)
	}
	for _, ns := range w.namespaces() {
		rung("neighbours flushed", orElse(ns, "own namespace"), "look", "forget", ns)
	}
	for _, group := range []struct {
		links         []*link
		down, deleted string
	}{{stacking.Upper(), "link down", "link deleted"}, {stacking.Lower(), "lower link down", "lower link deleted"}} {
		for _, lk := range group.links {
			if !lk.Down {
				rung(group.down, lk.Name, "look", "within", lk.Netns, "ip", "link", "set", "dev", lk.Name, "down")
			}
		}
		for _, lk := range group.links {
			rung(group.deleted, lk.Name, "look", "within", lk.Netns, "ip", "link", "del", "dev", lk.Name)
		}
	}
	for _, lk := range near {
		if lk.kind == "iodine" {
			rung("process ended", lk.Name, "look", "stop", lk.helper)
		}
	}
	return out
}

// queues are the keys of the listeners.
func (w *writer) queues() []string {
	var keys []string
	for _, f := range w.sc.Filters {
		key := fmt.Sprintf("queue-%s-%d", f.Netns, f.Queue)
		if f.Action == "nfqueue" && f.Listener != nil && !slices.Contains(keys, key) {
			keys = append(keys, key)
		}
	}
	return keys
}

// removal deletes every link, those built last first.
func (w *writer) removal() []string {
	var out []string
	for _, lk := range slices.Backward(w.links) {
		out = append(out, command("within", lk.Netns, "ip", "link", "del", "dev", lk.Name)+" 2>/dev/null")
	}
	return out
}
