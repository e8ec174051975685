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

// wantedModules lists the modules the scenarios use, those of the transport
// first, each once. The kernel may have some of them built in, or not at all.
// What the kernel would ask modprobe for is among them: a guest has none.
func wantedModules(list []scenarios.Scenario) []string {
	var w wanted
	w.add(transportModules()...)
	w.add(alwaysModules()...)
	for _, sc := range list {
		w.scenario(sc)
	}
	return w
}

// wanted are names of modules.
type wanted []string

func (w *wanted) add(names ...string) {
	for _, name := range names {
		if !slices.Contains(*w, name) {
			*w = append(*w, name)
		}
	}
}

func (w *wanted) scenario(sc scenarios.Scenario) {
	for _, n := range scenarios.Needs(sc) {
		w.add(n.Modules...)
		w.add(n.Loads...)
	}
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
