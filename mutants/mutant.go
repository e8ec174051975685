// SPDX-License-Identifier: GPL-2.0-only

package mutants

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"

	"skleak/record"
	"skleak/record/foreign"
)

// The files of a mutant's folder.
const (
	yamlFile = "mutant.yaml"
	// PatchFile is the semantic patch.
	PatchFile = "mutant.cocci"
)

// maxMutant bounds each file of a mutant in bytes.
const maxMutant = 64 << 10

// maxMutants bounds the mutants of a folder.
const maxMutants = 1000

// Mutant is one bug, stated so that it can be put into several versions.
type Mutant struct {
	// Name is its folder's, Dir the folder, for messages.
	Name string `yaml:"-"`
	Dir  string `yaml:"-"`
	// Patch is the semantic patch.
	Patch string `yaml:"-"`
	// About says in a sentence or two what the mistake is.
	About string `yaml:"about"`
	// File is the C file in the kernel source that the patch applies to; where
	// versions differ in its name, the first that is there counts.
	File Files `yaml:"file"`
	// Module is the loadable module that File is part of.
	Module string `yaml:"module"`
	// StandsFor names the real commit or report, if there is one.
	StandsFor string `yaml:"stands_for"`
	// Needs says what the catalogue must have before the bug can show, as a
	// network card of QEMU's; "" for nothing.
	Needs string `yaml:"needs"`
	// Found is what must find it. Empty says that nobody knows yet.
	Found []record.Found `yaml:"found"`
}

// Files is one name or a list of them.
type Files []string

// UnmarshalYAML implements yaml.InterfaceUnmarshaler.
func (f *Files) UnmarshalYAML(unmarshal func(any) error) error {
	var one string
	if unmarshal(&one) == nil {
		*f = Files{one}
		return nil
	}
	var list []string
	if err := unmarshal(&list); err != nil {
		return err
	}
	*f = list
	return nil
}

// Load reads the mutant in a folder, which may come from elsewhere: no link in it
// leads out of the folder it is in. Its errors say file, line and column.
func Load(ctx context.Context, dir string) (m Mutant, err error) {
	if dir, err = filepath.Abs(dir); err != nil {
		return Mutant{}, fmt.Errorf("read a mutant: %w", err)
	}
	root, err := os.OpenRoot(filepath.Dir(dir))
	if err != nil {
		return Mutant{}, fmt.Errorf("read a mutant: %w", err)
	}
	defer func() { err = errors.Join(err, root.Close()) }()
	return load(bounded{ctx, root}, filepath.Dir(dir), filepath.Base(dir))
}

// LoadAll reads every mutant in the folders of dir, by name. dir may be a
// mutant's own folder. See Load.
func LoadAll(ctx context.Context, dir string) (list []Mutant, err error) {
	if _, err := os.Stat(filepath.Join(dir, yamlFile)); err == nil {
		m, err := Load(ctx, dir)
		return []Mutant{m}, err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("look for mutants: %w", err)
	}
	defer func() { err = errors.Join(err, root.Close()) }()
	return loadFS(root.FS(), bounded{ctx, root}, dir)
}

// reader gives the text of a file.
type reader interface {
	text(name string) ([]byte, error)
}

// bounded reads what a stranger may have made.
type bounded struct {
	ctx  context.Context
	root *os.Root
}

func (b bounded) text(name string) ([]byte, error) {
	return foreign.ReadIn(b.ctx, b.root, name, maxMutant)
}

// builtIn reads what is built in.
type builtIn struct{ fs.FS }

func (b builtIn) text(name string) ([]byte, error) { return fs.ReadFile(b.FS, name) }

// Own are skleak's own mutants, by name.
func Own() ([]Mutant, error) { return loadTrusted(files, "mutants") }

// loadTrusted reads every mutant in the folders of files, which are trusted, by name;
// dir is what messages call it.
func loadTrusted(files fs.FS, dir string) ([]Mutant, error) {
	return loadFS(files, builtIn{files}, dir)
}

func loadFS(files fs.FS, from reader, dir string) ([]Mutant, error) {
	found, err := fs.Glob(files, "*/"+yamlFile)
	if err != nil {
		return nil, fmt.Errorf("look for mutants in %s: %w", dir, err)
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("look for mutants in %s: %w: no NAME/%s in it", dir, fs.ErrNotExist, yamlFile)
	}
	if len(found) > maxMutants {
		return nil, fmt.Errorf("look for mutants in %s: %d of them, want at most %d", dir, len(found), maxMutants)
	}
	var all []Mutant
	for _, file := range found {
		m, err := load(from, dir, path.Dir(file))
		if err != nil {
			return nil, err
		}
		all = append(all, m)
	}
	slices.SortFunc(all, func(a, b Mutant) int { return cmp.Compare(a.Name, b.Name) })
	return all, nil
}

func load(files reader, dir, name string) (Mutant, error) {
	if !validName(name) {
		return Mutant{}, fmt.Errorf("mutant %q: name its folder with small letters, digits, - and _", name)
	}
	data, err := read(files, path.Join(name, yamlFile))
	if err != nil {
		return Mutant{}, fmt.Errorf("mutant %s: %w", name, err)
	}
	m, err := decode(filepath.Join(dir, name, yamlFile), data)
	if err != nil {
		return Mutant{}, err
	}
	patch, err := read(files, path.Join(name, PatchFile))
	if err != nil {
		return Mutant{}, fmt.Errorf("mutant %s: %w", name, err)
	}
	if err := checkPatch(string(patch)); err != nil {
		return Mutant{}, fmt.Errorf("%s: %w", filepath.Join(dir, name, PatchFile), err)
	}
	m.Name, m.Dir, m.Patch = name, filepath.Join(dir, name), string(patch)
	return m, nil
}

func read(files reader, name string) ([]byte, error) {
	data, err := files.text(name)
	if err != nil {
		return nil, err
	}
	if len(data) == 0 || len(data) > maxMutant {
		return nil, fmt.Errorf("%s: want 1 to %d bytes", name, maxMutant)
	}
	return data, nil
}

func validName(s string) bool {
	return regexp.MustCompile(`^[a-z0-9_][a-z0-9_-]{0,63}$`).MatchString(s)
}

func decode(name string, data []byte) (Mutant, error) {
	var m Mutant
	if err := unmarshal(data, &m); err != nil {
		return Mutant{}, placed(name, err)
	}
	if err := m.check(); err != nil {
		return Mutant{}, placed(name, place(data, err))
	}
	return m, nil
}

// unmarshal is strict. NB: go-yaml v1.19.2 panics on some broken input, as a
// tag without a value where a list is wanted; found by fuzzing.
func unmarshal(data []byte, m *Mutant) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = &yaml.SyntaxError{Message: fmt.Sprintf("this is no YAML that can be read (%v)", r)}
		}
	}()
	return yaml.UnmarshalWithOptions(data, m, yaml.Strict())
}

// placed puts the file's name, line and column before what a YAML error says.
func placed(name string, err error) error {
	var at yaml.Error
	if !errors.As(err, &at) {
		return fmt.Errorf("%s: %w", name, err)
	}
	line, column := 1, 1
	if t := at.GetToken(); t != nil && t.Position != nil {
		line, column = t.Position.Line, t.Position.Column
	}
	text, _, _ := strings.Cut(at.GetMessage(), "\n")
	return fmt.Errorf("%s:%d:%d: %s", name, line, column, text)
}

// keyError is a value that a mutant cannot have.
type keyError struct {
	// path is a YAMLPath to the value.
	path, what string
}

func (e *keyError) Error() string { return e.what }

// place finds the line and column of a keyError.
func place(data []byte, err error) error {
	var k *keyError
	if !errors.As(err, &k) {
		return err
	}
	p, pathErr := yaml.PathString(k.path)
	if pathErr != nil {
		return err
	}
	n, nodeErr := p.ReadNode(strings.NewReader(string(data)))
	if nodeErr != nil || n == nil || n.GetToken() == nil {
		return &yaml.SyntaxError{Message: k.what}
	}
	return &yaml.SyntaxError{Message: k.what, Token: n.GetToken()}
}

func (m Mutant) check() error {
	if strings.TrimSpace(m.About) == "" {
		return &keyError{"$.about", "about is missing: say in a sentence what the mistake is"}
	}
	if len(m.File) == 0 {
		return &keyError{"$.file", "file is missing: name a C file in the kernel source, like drivers/net/tun.c"}
	}
	for _, file := range m.File {
		if path.Clean(file) != file || !filepath.IsLocal(file) || path.Ext(file) != ".c" || !SourcePath(file) {
			return &keyError{"$.file", fmt.Sprintf("%q is no C file under drivers/net/ or net/ of the kernel source", file)}
		}
	}
	if !regexp.MustCompile(`^[a-zA-Z0-9_][a-zA-Z0-9_-]{0,62}$`).MatchString(m.Module) {
		return &keyError{"$.module", fmt.Sprintf("%q is no module's name", m.Module)}
	}
	for i, f := range m.Found {
		if err := checkFound(f, fmt.Sprintf("$.found[%d]", i)); err != nil {
			return err
		}
	}
	return nil
}

func checkFound(f record.Found, at string) error {
	switch {
	case !regexp.MustCompile(`^[a-z0-9-]+/[a-z0-9.-]+$`).MatchString(f.Scenario):
		return &keyError{at + ".scenario", fmt.Sprintf("%q is no scenario's name; they are like tun/unread", f.Scenario)}
	case !f.Verdict.Valid():
		return &keyError{at + ".verdict", fmt.Sprintf("unknown verdict %q; the verdicts are %s", f.Verdict, record.JoinVerdicts(record.Verdicts()))}
	case f.Verdict.NeedsHolder() && f.Holder == "":
		return &keyError{at + ".verdict", fmt.Sprintf("%s without a holder: name who truly holds, like \"driver of v0\", or %q", f.Verdict, record.NotKnown)}
	case !record.ValidPattern(f.Holder):
		return &keyError{at + ".holder", fmt.Sprintf("holder %q is no pattern: write * for any text, ? for a character", f.Holder)}
	case f.Count < 0 || f.Count > 100_000_000:
		return &keyError{at + ".count", fmt.Sprintf("count of %d; give 1 to 100000000, or leave it out", f.Count)}
	}
	return nil
}

// SourcePath says whether the source that is unpacked to build a mutant has the folder of a file.
func SourcePath(file string) bool {
	for _, dir := range sourceFolders() {
		if strings.HasPrefix(file, dir) {
			return true
		}
	}
	return false
}

// sourceFolders are what is unpacked of a kernel's source.
func sourceFolders() []string { return []string{"drivers/net/", "net/"} }
