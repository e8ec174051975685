// SPDX-License-Identifier: GPL-2.0-only

package kernels

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"
)

// Package is a Debian package a kernel was taken from.
type Package struct {
	Name    string `json:"name"`
	Version string `json:"version"`
	// Size is the .deb's, in bytes; Installed is what it says it unpacks to.
	Size      int64  `json:"size"`
	Installed int64  `json:"installed"`
	SHA256    string `json:"sha256"`
}

// Checksum is what a file was when the kernel came in.
type Checksum struct {
	// File is relative to the kernel's folder in the store, or absolute when it
	// lies outside.
	File    string    `json:"file"`
	Size    int64     `json:"size"`
	ModTime time.Time `json:"mtime"`
	// SHA256 is "" for a build tree's own files: they are expected to change.
	SHA256 string `json:"sha256,omitempty"`
}

// Kernel is a kernel ready to boot. Its paths are absolute; "" means there is
// none.
type Kernel struct {
	Name Name `json:"name"`
	// Release is what uname -r says in it.
	Release string `json:"release"`
	// Vmlinux is the ELF, uncompressed, to be started by PVH.
	Vmlinux string `json:"vmlinux"`
	// PVH says whether the ELF has the note that QEMU starts it by; without it
	// (CONFIG_PVH off) the ELF does not boot.
	PVH    bool   `json:"pvh"`
	Config string `json:"config"`
	// SystemMap is "" for Debian's: theirs is a stub.
	SystemMap string `json:"system_map"`
	// ModulesDir holds the modules in their folders. Those from Debian are
	// uncompressed; of others Module.Read unpacks them.
	ModulesDir string     `json:"modules_dir"`
	Packages   []Package  `json:"packages,omitempty"`
	Checksums  []Checksum `json:"checksums"`
	// Size is what it takes in the store, in bytes.
	Size    int64     `json:"size"`
	Fetched time.Time `json:"fetched"`
	// Notes are oddities a reader should know of.
	Notes []string `json:"notes,omitempty"`

	// dir is the kernel's folder in the store.
	dir     string
	modules *Modules
}

// The files of a kernel's folder in the store.
const (
	kernelFile  = "kernel.json"
	modulesFile = "modules.json"
	vmlinuxFile = "vmlinux"
	configFile  = "config"
	mapFile     = "System.map"
	modulesTree = "modules"
)

// Modules gives the index of the kernel's modules. It is read once.
func (k *Kernel) Modules() (*Modules, error) {
	if k.modules != nil {
		return k.modules, nil
	}
	var index Modules
	if err := readJSON(filepath.Join(k.dir, modulesFile), &index); err != nil {
		return nil, fmt.Errorf("kernel %s: index of modules: %w", k.Name, err)
	}
	for i := range index.All {
		index.All[i].File = k.resolve(index.All[i].File)
	}
	k.modules = &index
	return k.modules, nil
}

// LoadOrder gives the modules to load for the named ones (or aliases, as
// "rtnl-link-vxlan"), dependencies first, each once; what is built in is left
// out. '-' and '_' are equal. A name the kernel does not have gives an
// *UnknownModuleError.
func (k *Kernel) LoadOrder(names ...string) ([]Module, error) {
	index, err := k.Modules()
	if err != nil {
		return nil, err
	}
	return index.order(k, names)
}

// ErrChanged is in the error of a kernel whose files are not what they were.
var ErrChanged = errors.New("changed since it was fetched")

// check compares sizes and times of all files: some 10 ms.
func (k *Kernel) check() error {
	for _, sum := range k.Checksums {
		st, err := os.Stat(k.resolve(sum.File))
		if err != nil {
			return k.changed(sum.File, err.Error())
		}
		if st.Size() != sum.Size {
			return k.changed(sum.File, fmt.Sprintf("has %d bytes, had %d", st.Size(), sum.Size))
		}
		if !st.ModTime().Equal(sum.ModTime) {
			return k.changed(sum.File, "was written "+st.ModTime().Format(time.RFC3339))
		}
	}
	return nil
}

// Verify reads every file the store holds of the kernel and compares its
// SHA-256: a second or two.
func (k *Kernel) Verify(ctx context.Context) error {
	if err := k.check(); err != nil {
		return err
	}
	for _, sum := range k.Checksums {
		if err := ctx.Err(); err != nil {
			return err
		}
		if sum.SHA256 == "" {
			continue
		}
		got, err := hashFile(k.resolve(sum.File))
		if err != nil {
			return fmt.Errorf("kernel %s: %w", k.Name, err)
		}
		if got != sum.SHA256 {
			return k.changed(sum.File, "has SHA-256 "+got+", had "+sum.SHA256)
		}
	}
	return nil
}

func (k *Kernel) changed(file, what string) error {
	return fmt.Errorf("kernel %s: %s %s: %w; remove the kernel and fetch it again", k.Name, file, what, ErrChanged)
}

// resolve makes a path of the manifest absolute.
func (k *Kernel) resolve(file string) string {
	if file == "" || filepath.IsAbs(file) {
		return file
	}
	return filepath.Join(k.dir, file)
}

// loadKernel reads the kernel in a folder of the store.
func loadKernel(dir string) (*Kernel, error) {
	k := &Kernel{dir: dir}
	if err := readJSON(filepath.Join(dir, kernelFile), k); err != nil {
		return nil, err
	}
	for _, file := range []*string{&k.Vmlinux, &k.Config, &k.SystemMap, &k.ModulesDir} {
		*file = k.resolve(*file)
	}
	return k, nil
}

func readJSON(file string, into any) error {
	data, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(data, into); err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	return nil
}

func hashFile(file string) (string, error) {
	f, err := os.Open(file)
	if err != nil {
		return "", err
	}
	defer f.Close() //nolint:errcheck // it was only read
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
