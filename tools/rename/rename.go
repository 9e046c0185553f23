// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/mod/modfile"
)

// rename returns the contents of the files that change, by name. It changes none.
func rename(tree fs.FS, to repository) (map[string][]byte, error) {
	from, err := current(tree)
	if err != nil {
		return nil, err
	}
	files, err := read(tree)
	if err != nil {
		return nil, err
	}
	changed := map[string][]byte{}
	var problems []error
	for name, content := range files {
		renamed, err := renameFile(name, content, from, to)
		if err != nil {
			problems = append(problems, err)
		}
		if !bytes.Equal(renamed, content) {
			changed[name] = renamed
		}
	}
	for _, t := range texts {
		if files[t.file] == nil {
			problems = append(problems, fmt.Errorf("%s: no such file", t.file))
		}
	}
	slices.SortFunc(problems, func(a, b error) int { return cmp.Compare(a.Error(), b.Error()) })
	return changed, errors.Join(problems...)
}

// current returns nil before the first rename.
func current(tree fs.FS) (*repository, error) {
	content, err := fs.ReadFile(tree, "go.mod")
	if err != nil {
		return nil, err
	}
	path := modfile.ModulePath(content)
	if path == homeless {
		return nil, nil //nolint:nilnil // there is none, and that is no error
	}
	r, err := parse(path)
	if err != nil {
		return nil, fmt.Errorf("go.mod: module %s is neither %s nor a repository of github.com", path, homeless)
	}
	return &r, nil
}

// read returns the text files.
func read(tree fs.FS) (map[string][]byte, error) {
	files := map[string][]byte{}
	err := fs.WalkDir(tree, ".", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && slices.Contains([]string{".git", "bin", "dist", "node_modules"}, entry.Name()):
			return fs.SkipDir
		case !entry.Type().IsRegular():
			return nil
		}
		content, err := fs.ReadFile(tree, name)
		if err == nil && !bytes.ContainsRune(content, 0) {
			files[name] = content
		}
		return err
	})
	return files, err
}

// renameFile replaces what is of an earlier repository, and what is as it was
// before the first rename: files may have come since.
func renameFile(name string, content []byte, from *repository, to repository) ([]byte, error) {
	if from != nil && *from != to {
		content = replaceRepository(content, *from, to)
	}
	var err error
	switch {
	case strings.HasSuffix(name, ".go"):
		content, err = renameImports(name, content, to)
	case path.Base(name) == "go.mod":
		content, err = renameModule(name, content, to)
	case strings.HasSuffix(name, ".yml"), strings.HasSuffix(name, ".yaml"):
		content = bytes.ReplaceAll(content, []byte("runbook_url: docs/"), []byte("runbook_url: "+to.url()+"/blob/main/docs/"))
	}
	for _, t := range texts {
		if t.file == name && err == nil {
			content, err = t.apply(content, to)
		}
	}
	return content, err
}

func replaceRepository(content []byte, from, to repository) []byte {
	for _, names := range [][2]string{{from.module(), to.module()}, {from.image(), to.image()}, {"@" + from.owner, "@" + to.owner}} {
		// Not of a repository whose name only begins so.
		pattern := regexp.MustCompile(regexp.QuoteMeta(names[0]) + `([^A-Za-z0-9_-]|$)`)
		content = pattern.ReplaceAll(content, []byte(names[1]+"$1"))
	}
	return content
}

// renamed returns a module's or package's path in the repository, and false if
// it is not of this project.
func renamed(path string, to repository) (string, bool) {
	rest, found := strings.CutPrefix(path, homeless)
	return to.module() + rest, found && (rest == "" || rest[0] == '/')
}

func renameImports(name string, content []byte, to repository) ([]byte, error) {
	if !bytes.Contains(content, []byte(`"`+homeless)) {
		return content, nil
	}
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, name, content, parser.ImportsOnly)
	if err != nil {
		return content, err
	}
	// From the last, so that the offsets of the others stay.
	for _, spec := range slices.Backward(file.Imports) {
		old, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			return content, err
		}
		if renamed, ours := renamed(old, to); ours {
			start := files.Position(spec.Path.Pos()).Offset
			content = slices.Replace(slices.Clone(content), start, start+len(spec.Path.Value), []byte(strconv.Quote(renamed))...)
		}
	}
	return content, nil
}

func renameModule(name string, content []byte, to repository) ([]byte, error) {
	file, err := modfile.Parse(name, content, nil)
	if err != nil {
		return content, err
	}
	if file.Module == nil {
		return content, fmt.Errorf("%s: no module", name)
	}
	changed := false
	if path, ours := renamed(file.Module.Mod.Path, to); ours {
		changed = true
		err = errors.Join(err, file.AddModuleStmt(path))
	}
	for _, r := range slices.Clone(file.Require) {
		old := r.Mod // which DropRequire empties
		if path, ours := renamed(old.Path, to); ours {
			changed = true
			err = errors.Join(err, file.DropRequire(old.Path), file.AddRequire(path, old.Version))
		}
	}
	for _, r := range slices.Clone(file.Replace) {
		from, with := r.Old, r.New
		if path, ours := renamed(from.Path, to); ours {
			changed = true
			err = errors.Join(err, file.DropReplace(from.Path, from.Version), file.AddReplace(path, from.Version, with.Path, with.Version))
		}
	}
	if err != nil || !changed {
		return content, err
	}
	file.Cleanup()
	file.SortBlocks()
	return file.Format()
}

func write(root string, contents map[string][]byte) error {
	for name, content := range contents {
		// The file is there, and keeps its mode.
		if err := os.WriteFile(filepath.Join(root, filepath.FromSlash(name)), content, 0o600); err != nil {
			return err
		}
	}
	return nil
}
