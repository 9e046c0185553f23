// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"fmt"
	"strings"
)

// text is what a file says before the first rename, and instead of it then. In
// the latter, {module}, {url}, {image} and {owner} are the repository's.
type text struct {
	file, before, after string
}

var texts = []text{
	{".golangci.yml", "local-prefixes: [hedera_exporter]", "local-prefixes: [{module}]"},
	{".golangci.yml", "module-path: hedera_exporter\n", "module-path: {module}\n"},
	{"tools/dashboards/panel.go", `const runbooks = "docs/`, `const runbooks = "{url}/blob/main/docs/`},
	{
		"deploy/systemd/hedera_exporter.service",
		"Description=Prometheus exporter for Hedera networks\n",
		"Description=Prometheus exporter for Hedera networks\nDocumentation={url}\n",
	},
	{
		"deploy/systemd/hedera_exporter.socket",
		"Description=Socket of the Prometheus exporter for Hedera networks\n",
		"Description=Socket of the Prometheus exporter for Hedera networks\nDocumentation={url}\n",
	},
	{
		"deploy/container/Dockerfile",
		"      org.opencontainers.image.licenses=\"Apache-2.0\" \\\n",
		"      org.opencontainers.image.licenses=\"Apache-2.0\" \\\n      org.opencontainers.image.url=\"{url}\" \\\n      org.opencontainers.image.source=\"{url}\" \\\n",
	},
	{
		"deploy/helm/hedera-exporter/Chart.yaml",
		"description: Prometheus exporter for Hedera networks\n",
		"description: Prometheus exporter for Hedera networks\nhome: {url}\nsources: [{url}]\n",
	},
	{"deploy/helm/hedera-exporter/values.yaml", "  repository: hedera_exporter\n", "  repository: {image}\n"},
	{"deploy/kubernetes/base/deployment.yaml", "image: hedera_exporter:", "image: {image}:"},
	{"deploy/kubernetes/overlays/example/kustomization.yaml", "  - name: hedera_exporter\n", "  - name: {image}\n"},
	{
		"README.md",
		"\n## Install\n\n`make build` puts",
		"\n## Install\n\n[Releases]({url}/releases) have archives for Linux, macOS and Windows, Debian packages and rpms; the container image is `{image}`. With Go:\n\n```\ngo install {module}/cmd/hedera_exporter@latest\n```\n\nFrom the sources, `make build` puts",
	},
	{
		".github/CODEOWNERS",
		"# Who is asked to review. make rename writes the repository's owner.\n",
		"# Who is asked to review.\n* @{owner}\n",
	},
	{
		".github/ISSUE_TEMPLATE/config.yml",
		"blank_issues_enabled: true\n",
		"blank_issues_enabled: true\ncontact_links:\n  - name: Vulnerability\n    url: {url}/security/advisories/new\n    about: Report it privately.\n",
	},
	{
		"deploy/packages/nfpm.yaml",
		"license: Apache-2.0\n",
		"license: Apache-2.0\nhomepage: {url}\n",
	},
	{
		"SECURITY.md",
		"with a [security advisory](https://docs.github.com/en/code-security/security-advisories/guidance-on-reporting-and-writing-information-about-vulnerabilities/privately-reporting-a-security-vulnerability) on the repository, not",
		"with a [security advisory]({url}/security/advisories/new), not",
	},
}

// apply replaces the text, unless that has been done.
func (t text) apply(content []byte, to repository) ([]byte, error) {
	after := []byte(strings.NewReplacer("{module}", to.module(), "{url}", to.url(), "{image}", to.image(), "{owner}", to.owner).Replace(t.after))
	if bytes.Contains(content, after) {
		return content, nil
	}
	if n := bytes.Count(content, []byte(t.before)); n != 1 {
		return content, fmt.Errorf("%s has %q %d times, want it once; change tools/rename/texts.go with it", t.file, t.before, n)
	}
	return bytes.Replace(content, []byte(t.before), after, 1), nil
}
