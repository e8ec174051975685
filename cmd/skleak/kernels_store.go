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

// fetchKernels gives the kernels that specs, separated by commas, mean; what
// the store lacks is fetched, with a line on progress.
func fetchKernels(ctx context.Context, t terminal, specs string) ([]*kernels.Kernel, error) {
	store, err := openStore()
	if err != nil {
		return nil, err
	}
	names, err := resolveKernels(ctx, store, specs)
	if err != nil {
		return nil, err
	}
	var out []*kernels.Kernel
	for _, name := range names {
		k, err := fetchOne(ctx, t, store, name)
		if err != nil {
			return nil, err
		}
		out = append(out, k)
	}
	return out, nil
}

// resolveKernels gives the names that specs mean, each once.
func resolveKernels(ctx context.Context, store *kernels.Store, specs string) ([]kernels.Name, error) {
	list, err := kernels.ParseList(specs)
	if err != nil {
		return nil, err
	}
	var names []kernels.Name
	seen := map[kernels.Name]bool{}
	for _, spec := range list {
		found, err := store.Resolve(ctx, spec)
		if err != nil {
			return nil, err
		}
		for _, name := range found {
			if !seen[name] {
				seen[name] = true
				names = append(names, name)
			}
		}
	}
	return names, nil
}

func fetchOne(ctx context.Context, t terminal, store *kernels.Store, name kernels.Name) (*kernels.Kernel, error) {
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

// configSum is the sha256 of a kernel's config; "" where it has none.
func configSum(k *kernels.Kernel) (string, error) {
	if k.Config == "" {
		return "", nil
	}
	data, err := os.ReadFile(k.Config)
	if err != nil {
		return "", fmt.Errorf("kernel %s: %w", k.Name, err)
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:]), nil
}
