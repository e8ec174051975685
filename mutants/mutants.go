// SPDX-License-Identifier: GPL-2.0-only

// Package mutants carries known bugs as data: a folder each, with a semantic
// patch that puts the bug into a kernel and what must find it there.
//
//	skleak mutants list
package mutants

import "embed"

// files are the folders.
//
//go:embed */mutant.yaml */mutant.cocci
var files embed.FS
