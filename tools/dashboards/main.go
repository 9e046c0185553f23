// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Command dashboards writes the Grafana dashboards: go run ./dashboards
// ../dashboards.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
)

func boards() []board {
	return []board{overview(), accounts(), nodes(), network(), entities(), exporter()}
}

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: dashboards DIRECTORY")
		os.Exit(2)
	}
	if err := write(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "dashboards:", err)
		os.Exit(1)
	}
}

func write(directory string) error {
	files, err := generate()
	if err != nil {
		return err
	}
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(directory, name), content, 0o644); err != nil { //nolint:gosec // no secrets in it
			return err
		}
	}
	return nil
}

// generate returns all files by their name in dashboards/.
func generate() (map[string][]byte, error) {
	files := map[string][]byte{}
	for _, b := range boards() {
		content, err := encode(b)
		if err != nil {
			return nil, fmt.Errorf("dashboard %s: %w", b.uid, err)
		}
		files[b.uid+".json"] = content
	}
	return files, nil
}

func encode(b board) ([]byte, error) {
	built, err := b.build()
	if err != nil {
		return nil, err
	}
	content, err := json.Marshal(built)
	if err != nil {
		return nil, err
	}
	var tree map[string]any
	if err := json.Unmarshal(content, &tree); err != nil {
		return nil, err
	}
	if err := addTexts(tree); err != nil {
		return nil, err
	}
	var indented bytes.Buffer
	encoder := json.NewEncoder(&indented)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	err = encoder.Encode(tree)
	return indented.Bytes(), err
}

// annotationTexts are fields of the data source that the SDK has no type for.
func (a annotation) annotationTexts() map[string]string {
	return map[string]string{"titleFormat": a.title, "textFormat": a.text, "tagKeys": a.tags}
}

func addTexts(tree map[string]any) error {
	container, _ := tree["annotations"].(map[string]any)
	list, _ := container["list"].([]any)
	if len(list) != len(annotated) {
		return fmt.Errorf("%d annotations, want %d", len(list), len(annotated))
	}
	for i, a := range annotated {
		fields, _ := list[i].(map[string]any)
		for key, text := range a.annotationTexts() {
			fields[key] = text
		}
	}
	return nil
}
