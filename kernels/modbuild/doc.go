// SPDX-License-Identifier: GPL-2.0-only

// Package modbuild builds one module of a Debian kernel with a bug put in, and
// gives that kernel with the module replaced.
//
// A mutants.Mutant is a folder with a Coccinelle semantic patch (mutant.cocci) and what
// it is about (mutant.yaml). The source and the headers come from the same
// mirror and by the same apt as the kernel; they are unpacked below the store's
// folder, and nothing is installed. The module is built by the kernel's own
// kbuild, outside its tree, so that its version and symbol checksums are those
// of the stock one.
//
// It needs spatch, make, gcc and xz (apt-get install coccinelle make gcc
// xz-utils), and dpkg-deb. A built module is kept under a checksum of all that
// went into it. Try:
//
//	skleak mutants build tun-no-orphan --kernel debian:6.1
package modbuild
