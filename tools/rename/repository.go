// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// homeless is the module's path before the first rename.
const homeless = "hedera_exporter"

// repository is one of github.com, where the workflows run.
type repository struct{ owner, name string }

// GitHub's own limits of both names.
var repositoryPath = regexp.MustCompile(`^github\.com/([A-Za-z0-9](?:-?[A-Za-z0-9]){0,38})/([A-Za-z0-9._-]{1,100})$`)

func parse(text string) (repository, error) {
	const want = "want REPOSITORY=github.com/OWNER/hedera_exporter"
	if text == "" {
		return repository{}, errors.New("REPOSITORY is empty; " + want)
	}
	if _, _, found := strings.Cut(text, "://"); found {
		return repository{}, fmt.Errorf("REPOSITORY=%s has a scheme; %s", text, want)
	}
	if strings.HasSuffix(text, ".git") {
		return repository{}, fmt.Errorf("REPOSITORY=%s ends in .git; %s", text, want)
	}
	parts := repositoryPath.FindStringSubmatch(text)
	if parts == nil || strings.Trim(parts[2], ".") == "" {
		return repository{}, fmt.Errorf("REPOSITORY=%s is no repository of github.com; %s", text, want)
	}
	return repository{owner: parts[1], name: parts[2]}, nil
}

func (r repository) module() string { return "github.com/" + r.owner + "/" + r.name }

func (r repository) url() string { return "https://" + r.module() }

// image is where the workflow publishes; registries take lower case only.
func (r repository) image() string { return "ghcr.io/" + strings.ToLower(r.owner+"/"+r.name) }
