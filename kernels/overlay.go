// SPDX-License-Identifier: GPL-2.0-only

package kernels

import (
	"fmt"
	"os"
	"slices"
)

// WithModule gives a kernel that is k with one loadable module replaced by the
// .ko in file, and with a name of its own. k stays as it is, and so does the
// store: whoever made the file keeps it. A module that k does not have to load
// (missing, or built in) is an error, and so is a file for another release.
func (k *Kernel) WithModule(name Name, module, file string) (*Kernel, error) {
	index, err := k.Modules()
	if err != nil {
		return nil, err
	}
	module = canonical(module)
	at := slices.IndexFunc(index.All, func(m Module) bool { return m.Name == module })
	switch {
	case at < 0 && slices.Contains(index.Builtin, module):
		return nil, fmt.Errorf("kernel %s: %s is built in, so it cannot be replaced", k.Name, module)
	case at < 0:
		return nil, &UnknownModuleError{Kernel: k.Name, Module: module, Config: k.Config}
	}
	content, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("kernel %s: %w", name, err)
	}
	fresh, release, err := newModule(file, content)
	if err != nil {
		return nil, fmt.Errorf("kernel %s: module %w", name, err)
	}
	if fresh.Name != module || release != k.Release {
		return nil, fmt.Errorf("kernel %s: %s is module %s for %s; want %s for %s",
			name, file, fresh.Name, release, module, k.Release)
	}
	over := *k
	over.Name = name
	over.modules = &Modules{All: slices.Clone(index.All), Builtin: index.Builtin, BuiltinAliases: index.BuiltinAliases}
	over.modules.All[at] = fresh
	return &over, nil
}
