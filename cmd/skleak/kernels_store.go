// SPDX-License-Identifier: GPL-2.0-only

package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"

	"skleak/kernels"
)

// openStore opens the user's store of kernels.
func openStore() (*kernels.Store, error) { return kernels.Open("", kernels.Limits{}) }

// fetchKernel gives the one kernel that --kernel means; it is fetched if the
// store lacks it.
func fetchKernel(ctx context.Context, t terminal, spec string) (*kernels.Kernel, error) {
	if spec == "" {
		return nil, errors.New("--kernel is missing: name one like debian:6.12; `skleak kernels list --available` has them")
	}
	store, err := openStore()
	if err != nil {
		return nil, err
	}
	names, err := resolveKernels(ctx, store, spec)
	if err != nil {
		return nil, err
	}
	if len(names) != 1 {
		return nil, fmt.Errorf("--kernel %s means %d kernels; `skleak matrix --kernels` runs several", spec, len(names))
	}
	return fetchOne(ctx, t, store, names[0])
}

// resolved is a kernel's name, or what was asked for and why it means none.
type resolved struct {
	name kernels.Name
	err  error
}

// resolveKernels gives the names that specs mean, each once.
func resolveKernels(ctx context.Context, store *kernels.Store, specs string) ([]kernels.Name, error) {
	list, err := resolveEach(ctx, store, specs)
	if err != nil {
		return nil, err
	}
	var names []kernels.Name
	for _, r := range list {
		if r.err != nil {
			return nil, r.err
		}
		names = append(names, r.name)
	}
	return names, nil
}

// resolveEach is resolveKernels where one that cannot be had leaves the others.
func resolveEach(ctx context.Context, store *kernels.Store, specs string) ([]resolved, error) {
	list, err := kernels.ParseList(specs)
	if err != nil {
		return nil, err
	}
	var out []resolved
	seen := map[kernels.Name]bool{}
	for _, spec := range list {
		asked, mutant := kernels.Name(spec.String()), spec.Mutant
		spec.Mutant = ""
		found, err := store.Resolve(ctx, spec)
		if err != nil {
			out = append(out, resolved{asked, err})
			continue
		}
		for _, name := range found {
			name = name.With(mutant)
			if !seen[name] {
				seen[name] = true
				out = append(out, resolved{name, nil})
			}
		}
	}
	return out, nil
}

func fetchOne(ctx context.Context, t terminal, store *kernels.Store, name kernels.Name) (*kernels.Kernel, error) {
	if plain, mutant := name.Split(); mutant != "" {
		return mutantKernel(ctx, t, plain, mutant)
	}
	if k, err := store.Show(name); err == nil {
		return k, nil
	} else if !errors.Is(err, kernels.ErrNotStored) {
		return nil, err
	}
	last := kernels.Step("")
	return store.Fetch(ctx, name, func(p kernels.Progress) {
		if p.Step == last {
			return
		}
		last = p.Step
		fmt.Fprintf(t.err, "%s: %s\n", p.Kernel, p.Step)
	})
}

// configOf is a kernel's config and its sha256; nil and "" where it has none.
func configOf(k *kernels.Kernel) (config []byte, sum string, err error) {
	if k.Config == "" {
		return nil, "", nil
	}
	if config, err = os.ReadFile(k.Config); err != nil {
		return nil, "", fmt.Errorf("kernel %s: %w", k.Name, err)
	}
	hash := sha256.Sum256(config)
	return config, hex.EncodeToString(hash[:]), nil
}
