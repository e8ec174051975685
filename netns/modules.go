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
type need struct{ feature, hint, module string }

// needs lists what the scenario's links, qdiscs and filters want of the kernel.
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
		out = append(out, linkNeed(l.Kind()))
		common(l.Common)
		if o, ok := l.Options.(*scenarios.VethOptions); ok {
			common(o.Peer)
		}
	}
	for _, f := range s.Filters {
		out = append(out, need{"netfilter rules", "CONFIG_NF_TABLES, module nf_tables", "nf_tables"})
		if f.Action == "nfqueue" {
			out = append(out, need{"NFQUEUE", "CONFIG_NETFILTER_NETLINK_QUEUE, module nfnetlink_queue", "nfnetlink_queue"})
		}
	}
	return out
}

func linkNeed(kind string) need  { return needOf("link kind "+kind, kind, scenarios.Kinds()) }
func qdiscNeed(kind string) need { return needOf("qdisc "+kind, kind, scenarios.QdiscKinds()) }

func needOf(feature, kind string, kinds []scenarios.Kind) need {
	for _, k := range kinds {
		if k.Name == kind {
			return need{feature, fmt.Sprintf("%s, module %s", k.Config, k.Module), k.Module}
		}
	}
	return need{feature: feature}
}

func (n need) unsupported(err error) error {
	return &UnsupportedError{Feature: n.feature, Hint: n.hint, Err: err}
}

// refuseModules says which of the scenario's needs would load a module.
func refuseModules(s scenarios.Scenario) error {
	if _, err := os.Stat("/proc/modules"); errors.Is(err, os.ErrNotExist) {
		return nil
	}
	loadable, err := loadableModules()
	if err != nil {
		return err
	}
	for _, n := range needs(s) {
		if !slices.Contains(loadable, n.module) {
			continue
		}
		if _, err := os.Stat("/sys/module/" + n.module); errors.Is(err, os.ErrNotExist) {
			return n.unsupported(errModule)
		}
	}
	return nil
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
