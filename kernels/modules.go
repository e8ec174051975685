// SPDX-License-Identifier: GPL-2.0-only

package kernels

import (
	"bufio"
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"maps"
	"os"
	"path"
	"slices"
	"strings"
)

// maxModule bounds one module, unpacked, in bytes. amdgpu with debug
// information has about 400 MB.
const maxModule = 1 << 30

// Module is one loadable module.
type Module struct {
	// Name has '_' where the file may have '-'.
	Name string `json:"name"`
	// File is absolute in a Kernel that the store gave out.
	File string `json:"file"`
	// Depends are the modules it cannot load without.
	Depends []string `json:"depends,omitempty"`
	// SoftPre and SoftPost are modules or aliases that it wants loaded before
	// and after it, if there are any.
	SoftPre  []string `json:"soft_pre,omitempty"`
	SoftPost []string `json:"soft_post,omitempty"`
	// Aliases are what it is asked for by: "rtnl-link-vxlan", "crypto-crc32c",
	// "net-pf-16-proto-16-family-wireguard". Those of buses (pci:…) are left out.
	Aliases []string `json:"aliases,omitempty"`
	// Soft is set by LoadOrder on a module that only a soft dependency or an
	// alias brought in: that it does not load (no such hardware) is no error.
	Soft bool `json:"-"`
}

// Read gives the module's ELF, unpacked if the file is compressed.
func (m Module) Read() ([]byte, error) {
	data, err := os.ReadFile(m.File)
	if err != nil {
		return nil, fmt.Errorf("module %s: %w", m.Name, err)
	}
	data, err = unpackModule(data)
	if err != nil {
		return nil, fmt.Errorf("module %s: %w", m.Name, err)
	}
	return data, nil
}

func unpackModule(data []byte) ([]byte, error) {
	c, packed := codecOf(data)
	if !packed {
		return data, nil
	}
	return c.unpack(data, int64(len(data))*5, maxModule)
}

// moduleFile says whether a file name is a module's, and the name it gives.
func moduleFile(file string) (name string, ok bool) {
	base := path.Base(file)
	for _, suffix := range []string{"", ".xz", ".zst", ".gz"} {
		if stem, found := strings.CutSuffix(base, ".ko"+suffix); found && stem != "" {
			return canonical(stem), true
		}
	}
	return "", false
}

// newModule makes the index entry of a module from its unpacked ELF.
func newModule(file string, content []byte) (Module, string, error) {
	name, ok := moduleFile(file)
	if !ok {
		return Module{}, "", fmt.Errorf("%s: not named like a module", file)
	}
	info, err := readModinfo(bytes.NewReader(content))
	if err != nil {
		return Module{}, "", fmt.Errorf("%s: %w", file, err)
	}
	return Module{
		Name:     cmp.Or(info.Name, name),
		File:     file,
		Depends:  info.Depends,
		SoftPre:  info.SoftPre,
		SoftPost: info.SoftPost,
		Aliases:  softwareAliases(info.Aliases),
	}, info.Release, nil
}

// softwareAliases leaves out the aliases of buses, which have a colon or a
// wildcard: nine in ten, and nothing asks for them by hand.
func softwareAliases(all []string) []string {
	var out []string
	for _, alias := range all {
		if !strings.ContainsAny(alias, ":*?[") {
			out = append(out, canonical(alias))
		}
	}
	return out
}

// Modules is the index of a kernel's modules.
type Modules struct {
	// All are the loadable ones, by name.
	All []Module `json:"all"`
	// Builtin are the names of what is compiled in, sorted.
	Builtin []string `json:"builtin"`
	// BuiltinAliases maps an alias to the built-in that answers to it.
	BuiltinAliases map[string]string `json:"builtin_aliases,omitempty"`
}

func (m *Modules) sort() {
	slices.SortFunc(m.All, func(a, b Module) int { return strings.Compare(a.Name, b.Name) })
	slices.Sort(m.Builtin)
}

// parseBuiltin reads modules.builtin: a path of a .ko on each line.
func parseBuiltin(data []byte) []string {
	var out []string
	lines := bufio.NewScanner(bytes.NewReader(data))
	for lines.Scan() {
		if name, ok := moduleFile(strings.TrimSpace(lines.Text())); ok {
			out = append(out, name)
		}
	}
	return out
}

// UnknownModuleError says that a kernel has no such module, neither to load
// nor built in.
type UnknownModuleError struct {
	Kernel Name
	Module string
	// NeededBy is the module that depends on it; "" when it was asked for.
	NeededBy string
	// Config is where the kernel's config stands; "" when there is none.
	Config string
}

func (e *UnknownModuleError) Error() string {
	text := fmt.Sprintf("kernel %s has no module %s", e.Kernel, e.Module)
	if e.NeededBy != "" {
		text += ", which " + e.NeededBy + " depends on"
	}
	text += ": the config option that makes it is off"
	if e.Config != "" {
		text += " (see " + e.Config + ")"
	}
	return text
}

// ErrModuleLoop is in the error of a load order that has no beginning.
var ErrModuleLoop = errors.New("modules depend on each other in a loop")

// order gives the modules to load, each after what it depends on.
func (m *Modules) order(kernel *Kernel, names []string) ([]Module, error) {
	o := orderer{
		kernel: kernel, byName: map[string]Module{}, byAlias: map[string][]string{},
		builtin: map[string]bool{}, builtinAlias: m.BuiltinAliases, state: map[string]visit{}, at: map[string]int{},
	}
	for _, module := range m.All {
		o.byName[module.Name] = module
		for _, alias := range module.Aliases {
			o.byAlias[alias] = append(o.byAlias[alias], module.Name)
		}
	}
	for _, name := range m.Builtin {
		o.builtin[name] = true
	}
	for _, name := range names {
		if err := o.want(canonical(name)); err != nil {
			return nil, err
		}
	}
	return o.out, nil
}

// visit is where a module stands in the walk.
type visit int

const (
	unseen visit = iota
	entered
	done
)

type orderer struct {
	kernel       *Kernel
	byName       map[string]Module
	byAlias      map[string][]string
	builtin      map[string]bool
	builtinAlias map[string]string
	state        map[string]visit
	// at is where a module stands in out.
	at  map[string]int
	out []Module
}

// want adds what was asked for by name or alias.
func (o *orderer) want(name string) error {
	if o.builtin[name] {
		return nil
	}
	if _, ok := o.byName[name]; ok {
		return o.add(name, "", false)
	}
	providers := o.byAlias[name]
	if _, ok := o.builtinAlias[name]; ok {
		return nil
	}
	if len(providers) == 0 {
		return o.unknown(name, "")
	}
	// One that answers is enough, so a second one's failure is none.
	for _, provider := range providers {
		if err := o.add(provider, "", len(providers) > 1); err != nil {
			return err
		}
	}
	return nil
}

// add puts a module behind all that it needs.
func (o *orderer) add(name, neededBy string, soft bool) error {
	if o.builtin[name] {
		return nil
	}
	switch o.state[name] {
	case entered:
		return fmt.Errorf("kernel %s: %s and %s: %w", o.kernel.Name, name, neededBy, ErrModuleLoop)
	case done:
		if !soft {
			o.harden(name)
		}
		return nil
	}
	module, ok := o.byName[name]
	if !ok {
		return o.unknown(name, neededBy)
	}
	o.state[name] = entered
	o.addSoft(module.SoftPre)
	for _, need := range module.Depends {
		if err := o.add(need, name, soft); err != nil {
			return err
		}
	}
	o.state[name] = done
	module.Soft = soft
	o.at[name] = len(o.out)
	o.out = append(o.out, module)
	o.addSoft(module.SoftPost)
	return nil
}

// harden marks a module, and what it depends on, as needed after all.
func (o *orderer) harden(name string) {
	i, ok := o.at[name]
	if !ok || !o.out[i].Soft {
		return
	}
	o.out[i].Soft = false
	for _, need := range o.out[i].Depends {
		o.harden(need)
	}
}

// addSoft adds what is there of soft dependencies. One that leads back to a
// module under way, or to one that is missing, is left out, as modprobe does.
func (o *orderer) addSoft(wanted []string) {
	for _, name := range wanted {
		providers := o.byAlias[name]
		if _, ok := o.byName[name]; ok {
			providers = []string{name}
		}
		for _, provider := range providers {
			if o.state[provider] == unseen {
				o.try(provider)
			}
		}
	}
}

// try adds a module softly, or leaves everything as it was.
func (o *orderer) try(name string) {
	length, state := len(o.out), maps.Clone(o.state)
	if err := o.add(name, "", true); err != nil {
		o.out, o.state = o.out[:length], state
	}
}

func (o *orderer) unknown(module, neededBy string) error {
	return &UnknownModuleError{Kernel: o.kernel.Name, Module: module, NeededBy: neededBy, Config: o.kernel.Config}
}
