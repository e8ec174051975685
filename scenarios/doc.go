// SPDX-License-Identifier: GPL-2.0-only

// Package scenarios says what to try, as plain data: links, filters, traffic
// and what a sound kernel shows. It has the types, their YAML form with
// errors that give line and column, and the built-in catalogue, which is
// YAML itself and so uses nothing that a file of yours cannot say.
//
//	skleak list            # the catalogue
//	skleak run mine.yaml   # a file of scenarios
package scenarios
