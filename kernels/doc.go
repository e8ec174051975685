// SPDX-License-Identifier: GPL-2.0-only

// Package kernels is where kernels come from: Debian packages of every suite
// the machine's mirror serves, a kernel build tree, or a bzImage beside a
// folder of modules. Each becomes a Kernel: the vmlinux ELF that QEMU starts
// by PVH, the config, System.map where there is one, and the modules,
// uncompressed, with an index that knows their dependency order.
//
// Debian kernels are kept in a Store under the user's cache, because a mirror
// drops old versions. They are fetched with apt under a private state, so
// nothing is installed and the machine's own package lists stay as they are;
// apt checks every signature with the machine's keyring. That needs apt-get,
// apt-cache, apt-config and dpkg-deb, and a Debian archive in the machine's
// apt configuration. Build trees and pairs need nothing.
//
//	skleak kernels list --available
//	skleak kernels fetch debian:6.12
package kernels
