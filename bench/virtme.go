// SPDX-License-Identifier: GPL-2.0-only

package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"skleak/kernels"
)

const (
	// virtmeRuns are few, for each takes long without KVM.
	virtmeRuns     = 3
	virtmeDeadline = 5 * time.Minute
)

// virtme measures virtme-ng as it runs one command on k, in seconds from its
// start to its end. Where it is not installed it says so.
func virtme(ctx context.Context, k *kernels.Kernel, kvm bool, dir string) (all []float64, missing string, err error) {
	for _, program := range []string{"vng", "depmod"} {
		if _, err := exec.LookPath(program); err != nil {
			return nil, "no " + program + ": Debian 13 has it, apt-get install virtme-ng kmod", nil //nolint:nilerr // a reader's affair, and told
		}
	}
	image, err := installedLike(ctx, k, dir)
	if err != nil {
		return nil, "", err
	}
	argv := []string{"--cpus", "1", "--memory", "512", "--run", image, "--exec", "true"}
	if !kvm {
		// Without KVM its own choice, microvm, hangs one boot in six.
		argv = append(argv, "--disable-kvm", "--disable-microvm")
	}
	for range virtmeRuns {
		took, err := timed(ctx, "vng", argv)
		if err != nil {
			return nil, "", err
		}
		all = append(all, took)
	}
	return all, "", nil
}

func timed(ctx context.Context, program string, argv []string) (float64, error) {
	ctx, cancel := context.WithTimeout(ctx, virtmeDeadline)
	defer cancel()
	began := time.Now()
	said, err := exec.CommandContext(ctx, program, argv...).CombinedOutput()
	if err != nil {
		return 0, fmt.Errorf("run %s: %w; it said: %s", program, err, said)
	}
	return time.Since(began).Seconds(), nil
}

// installedLike lays k out below dir as a distribution does, boot/ and
// lib/modules/, which is how virtme-ng finds modules. It gives the kernel's image.
func installedLike(ctx context.Context, k *kernels.Kernel, dir string) (string, error) {
	root := filepath.Join(dir, "installed")
	image, modules := filepath.Join(root, "boot", "vmlinuz-"+k.Release), filepath.Join(root, "lib", "modules")
	for _, made := range []string{filepath.Dir(image), modules} {
		if err := os.MkdirAll(made, 0o755); err != nil {
			return "", fmt.Errorf("lay out kernel %s: %w", k.Name, err)
		}
	}
	for _, argv := range [][]string{
		{"cp", k.Vmlinux, image},
		// depmod writes beside the modules, and the store's stay as they are.
		{"cp", "--recursive", "--symbolic-link", k.ModulesDir, filepath.Join(modules, k.Release)},
		{"depmod", "--basedir", root, k.Release},
	} {
		if said, err := exec.CommandContext(ctx, argv[0], argv[1:]...).CombinedOutput(); err != nil {
			return "", fmt.Errorf("lay out kernel %s: %s: %w; it said: %s", k.Name, argv[0], err, said)
		}
	}
	return image, nil
}
