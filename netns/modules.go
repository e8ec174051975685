// SPDX-License-Identifier: GPL-2.0-only

package netns

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"os"
	"path"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"skleak/record"
	"skleak/scenarios"
)

// errModule is why a kind is refused under Options.RefuseModules.
var errModule = errors.New("its module is not loaded, and loading modules is refused")

// loadedModules reads /proc/modules; a kernel without modules has none.
func loadedModules() ([]string, error) {
	text, err := os.ReadFile("/proc/modules")
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list loaded modules: %w", err)
	}
	return moduleNames(text), nil
}

// moduleNames takes the first word of each line.
func moduleNames(text []byte) []string {
	var names []string
	for line := range bytes.Lines(text) {
		if words := bytes.Fields(line); len(words) > 0 {
			names = append(names, string(words[0]))
		}
	}
	return names
}

func newIn(after, before []string) []string {
	var out []string
	for _, name := range after {
		if !slices.Contains(before, name) {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}

// need is a feature of the kernel that a module may have.
type need struct {
	feature, hint, module string
	// cipher is the name in /proc/crypto that shows that it is there; "" for what
	// is there with its module.
	cipher string
}

// needs lists what the scenario's links, qdiscs and filters lack of the kernel.
func needs(s scenarios.Scenario) []need {
	var out []need
	common := func(c scenarios.Common) {
		if c.Qdisc != nil {
			for _, kind := range c.Qdisc.Kinds() {
				out = append(out, qdiscNeed(kind))
			}
		}
	}
	for _, l := range s.Links {
		out = append(append(out, linkNeed(l.Kind())), optionNeeds(l.Options)...)
		common(l.Common)
		if o, ok := l.Options.(*scenarios.VethOptions); ok {
			common(o.Peer)
		}
	}
	for _, f := range s.Filters {
		out = append(out, need{feature: "netfilter rules", hint: "CONFIG_NF_TABLES, module nf_tables", module: "nf_tables"})
		if f.Action == actionNfqueue {
			out = append(out,
				need{feature: "NFQUEUE", hint: "CONFIG_NETFILTER_NETLINK_QUEUE, module nfnetlink_queue", module: "nfnetlink_queue"},
				need{feature: "a rule that queues", hint: "CONFIG_NFT_QUEUE, module nft_queue", module: "nft_queue"})
		}
	}
	if s.Traffic.Socket == scenarios.SocketPacket || s.Traffic.Socket == scenarios.SocketPacketDgram {
		out = append(out, need{feature: "packet sockets", hint: "CONFIG_PACKET, module af_packet", module: "af_packet"})
	}
	return out
}

// optionNeeds lists what a link wants beside the module of its kind, which the
// kernel loads when it is told of it.
func optionNeeds(options scenarios.LinkOptions) []need {
	switch o := options.(type) {
	case *scenarios.TeamOptions:
		return []need{teamModeNeed(o.Mode)}
	case *scenarios.MacsecOptions:
		if !o.Keyless {
			return []need{{
				feature: "the cipher of macsec", hint: "CONFIG_CRYPTO_GCM and CONFIG_CRYPTO_AES, module gcm",
				module: "gcm", cipher: "gcm(aes)",
			}}
		}
	}
	return nil
}

// teamModeNeed is that of a mode; "" is the one a team begins with.
func teamModeNeed(mode string) need {
	if mode == "" {
		mode = teamDefaultMode
	}
	return need{feature: "team mode " + mode, hint: "CONFIG_NET_TEAM_MODE_*, module team_mode_" + mode, module: "team_mode_" + mode}
}

func linkNeed(kind string) need  { return needOf("link kind "+kind, kind, scenarios.Kinds()) }
func qdiscNeed(kind string) need { return needOf("qdisc "+kind, kind, scenarios.QdiscKinds()) }

func needOf(feature, kind string, kinds []scenarios.Kind) need {
	for _, k := range kinds {
		if k.Name == kind {
			return need{feature: feature, hint: fmt.Sprintf("%s, module %s", k.Config, k.Module), module: k.Module}
		}
	}
	return need{feature: feature}
}

func (n need) unsupported(err error) error {
	return &record.UnsupportedError{Feature: n.feature, Hint: n.hint, Err: err}
}

// refuseModules says which of the scenario's needs would load a module.
func refuseModules(s scenarios.Scenario) error { return refuseToLoad(needs(s)) }

// QdiscWithoutLoading is a *record.UnsupportedError if a qdisc of that kind would load
// its module.
func QdiscWithoutLoading(kind string) error { return refuseToLoad([]need{qdiscNeed(kind)}) }

func refuseToLoad(wanted []need) error {
	if _, err := os.Stat("/proc/modules"); errors.Is(err, os.ErrNotExist) {
		return nil
	}
	loadable, err := loadableModules()
	if err != nil {
		return err
	}
	if n, found := firstToLoad(wanted, loadable, need.isThere); found {
		return n.unsupported(errModule)
	}
	return nil
}

// firstToLoad is the first need that a loadable module has and that is not
// there yet.
func firstToLoad(wanted []need, loadable []string, isThere func(need) bool) (need, bool) {
	for _, n := range wanted {
		if slices.Contains(loadable, n.module) && !isThere(n) {
			return n, true
		}
	}
	return need{}, false
}

// isThere looks for the module, or for the cipher: that of a loaded module has to
// be put together first, which may load further ones.
func (n need) isThere() bool {
	if n.cipher == "" {
		_, err := os.Stat("/sys/module/" + n.module)
		return err == nil
	}
	text, err := os.ReadFile("/proc/crypto")
	return err == nil && hasCipher(text, n.cipher)
}

// hasCipher looks for a line "name         : gcm(aes)".
func hasCipher(text []byte, cipher string) bool {
	for line := range bytes.Lines(text) {
		key, value, _ := strings.Cut(string(line), ":")
		if strings.TrimSpace(key) == "name" && strings.TrimSpace(value) == cipher {
			return true
		}
	}
	return false
}

// loadableModules lists the modules of the running kernel that modprobe would
// find. What is built in is not among them.
func loadableModules() ([]string, error) {
	var u unix.Utsname
	if err := unix.Uname(&u); err != nil {
		return nil, os.NewSyscallError("uname", err)
	}
	release := unix.ByteSliceToString(u.Release[:])
	text, err := os.ReadFile("/lib/modules/" + release + "/modules.dep")
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list loadable modules: %w", err)
	}
	return depNames(text), nil
}

// depNames takes the names out of modules.dep: "kernel/net/8021q/8021q.ko.xz: …".
func depNames(text []byte) []string {
	var names []string
	lines := bufio.NewScanner(bytes.NewReader(text))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		file, _, ok := strings.Cut(lines.Text(), ":")
		if !ok {
			continue
		}
		name, _, _ := strings.Cut(path.Base(file), ".ko")
		names = append(names, strings.ReplaceAll(name, "-", "_"))
	}
	return names
}
