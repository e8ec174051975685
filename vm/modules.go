// SPDX-License-Identifier: GPL-2.0-only

package vm

import (
	"errors"
	"slices"
	"strings"

	"skleak/kernels"
	"skleak/scenarios"
)

// transportModules let a guest's events out; they come first.
func transportModules() []string { return []string{"virtio_pci", "virtio_console"} }

// alwaysModules are what the controls and the calibration of a packet's charge need.
func alwaysModules() []string {
	return []string{"af_packet", "tun", "veth", "sch_plug", "sch_tbf"}
}

// autoloaded names, for a kind or module of the scenarios, what the kernel
// would ask modprobe for when it is used. Without modprobe in the guest it must
// be there before. crypto-… are aliases; crypto/api.c asks by them.
func autoloaded(name string) []string {
	switch name {
	case "team":
		return []string{
			"team_mode_broadcast", "team_mode_roundrobin", "team_mode_activebackup",
			"team_mode_loadbalance", "team_mode_random",
		}
	case "macsec":
		return []string{"crypto-gcm(aes)", "crypto-gcm", "crypto-ctr", "crypto-ghash", "crypto-aes"}
	case "xfrm_interface":
		return []string{"xfrm_user", "esp4"}
	case "macvtap":
		return []string{"tap"}
	}
	return nil
}

// filterModules are what a netfilter rule may need, by nf_tables or the xt way.
func filterModules(action string) []string {
	names := []string{"nf_tables"}
	if action == "nfqueue" {
		names = append(names, "nfnetlink", "nfnetlink_queue", "nft_queue", "x_tables", "xt_NFQUEUE", "nft_compat")
	}
	return names
}

// wantedModules lists the modules the scenarios use, those of the transport
// first, each once. The kernel may have some of them built in, or not at all.
func wantedModules(list []scenarios.Scenario) []string {
	w := &wanted{modules: kindModules()}
	w.add(transportModules()...)
	w.add(alwaysModules()...)
	for _, sc := range list {
		w.scenario(sc)
	}
	return w.names
}

type wanted struct {
	modules map[string][]string
	names   []string
}

func (w *wanted) add(names ...string) {
	for _, name := range names {
		if !slices.Contains(w.names, name) {
			w.names = append(w.names, name)
		}
	}
}

func (w *wanted) kind(kind string) {
	for _, name := range w.modules[kind] {
		w.add(name)
		w.add(autoloaded(name)...)
	}
}

func (w *wanted) scenario(sc scenarios.Scenario) {
	common := func(c scenarios.Common) {
		if c.Qdisc != nil {
			for _, kind := range c.Qdisc.Kinds() {
				w.kind("qdisc " + kind)
			}
		}
	}
	for _, l := range sc.Links {
		common(l.Common)
		if o, ok := l.Options.(*scenarios.NicOptions); ok {
			w.add(o.Card().Module)
			continue
		}
		w.kind(l.Kind())
		if o, ok := l.Options.(*scenarios.VethOptions); ok {
			common(o.Peer)
		}
	}
	for _, f := range sc.Filters {
		w.add(filterModules(f.Action)...)
	}
}

// kindModules maps a kind of link, and "qdisc KIND", to its modules.
func kindModules() map[string][]string {
	modules := map[string][]string{}
	for _, k := range scenarios.Kinds() {
		modules[k.Name] = moduleWords(k.Module)
	}
	for _, k := range scenarios.QdiscKinds() {
		modules["qdisc "+k.Name] = moduleWords(k.Module)
	}
	return modules
}

func moduleWords(s string) []string {
	if s == "built in" {
		return nil
	}
	return strings.FieldsFunc(s, func(r rune) bool { return r == ' ' || r == ',' })
}

// loadOrder gives the modules to load for names, dependencies first. What the
// kernel does not have is left out: a scenario that needs it finds out by
// trying, and says so in its skip.
func loadOrder(k *kernels.Kernel, names []string) ([]kernels.Module, error) {
	if k.ModulesDir == "" {
		return nil, nil
	}
	have := slices.Clone(names)
	for {
		order, err := k.LoadOrder(have...)
		var unknown *kernels.UnknownModuleError
		if !errors.As(err, &unknown) {
			return order, err
		}
		before := len(have)
		have = slices.DeleteFunc(have, func(name string) bool {
			canonical := strings.ReplaceAll(name, "-", "_")
			return canonical == unknown.Module || canonical == unknown.NeededBy
		})
		if len(have) == before {
			return nil, err
		}
	}
}
