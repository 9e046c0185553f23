// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package deploycheck

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"helm.sh/helm/v3/pkg/action"
	"helm.sh/helm/v3/pkg/chart/loader"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/restmapper"
	"sigs.k8s.io/yaml"
)

// cluster is an API server of its own, with etcd and without controllers: it
// validates and stores, and nothing runs.
type cluster struct {
	config    *rest.Config
	dynamic   dynamic.Interface
	metadata  metadata.Interface
	discovery discovery.DiscoveryInterface
	resources []schema.GroupVersionResource // all that can be listed
	mapper    meta.RESTMapper
	certs     string
	token     string

	mu       sync.Mutex
	warnings []string
}

// namespaces are those of the values files and kustomizations.
var namespaces = []string{releaseNamespace, "hedera-everything", "hedera-monitoring"}

// startup is long, for a machine that has other things to do.
const startup = 5 * time.Minute

// HandleWarningHeader collects what kubectl would print.
func (c *cluster) HandleWarningHeader(_ int, _, text string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.warnings = append(c.warnings, text)
}

func startCluster(t *testing.T) *cluster {
	t.Helper()
	dir := t.TempDir()
	write := func(name, content string) string {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	certificate, key := selfSigned(t)
	const token = "of-the-test"
	tokens := write("tokens.csv", token+",admin,1,system:masters\n")
	cert, private := write("tls.crt", certificate), write("tls.key", key)
	etcd, peers, api := "http://"+freeAddress(t), "http://"+freeAddress(t), freeAddress(t)
	_, port, _ := net.SplitHostPort(api)

	startServer(t, "etcd",
		"--data-dir="+filepath.Join(dir, "etcd"),
		"--listen-client-urls="+etcd, "--advertise-client-urls="+etcd,
		"--listen-peer-urls="+peers, "--initial-advertise-peer-urls="+peers, "--initial-cluster=default="+peers,
		"--unsafe-no-fsync", "--log-level=error")
	startServer(t, "kube-apiserver",
		"--etcd-servers="+etcd,
		"--bind-address=127.0.0.1", "--secure-port="+port,
		"--advertise-address=192.0.2.1", "--endpoint-reconciler-type=none", // nobody else is told of it
		"--tls-cert-file="+cert, "--tls-private-key-file="+private, "--cert-dir="+dir,
		"--token-auth-file="+tokens, "--authorization-mode=RBAC",
		"--service-account-issuer=https://kubernetes.default.svc", "--service-account-key-file="+cert, "--service-account-signing-key-file="+private,
		"--service-cluster-ip-range=10.0.0.0/24")

	c := &cluster{certs: cert, token: token}
	c.config = &rest.Config{
		Host: "https://" + api, BearerToken: token, TLSClientConfig: rest.TLSClientConfig{CAFile: cert},
		QPS: -1, WarningHandler: c,
	}
	var err error
	if c.dynamic, err = dynamic.NewForConfig(c.config); err != nil {
		t.Fatal(err)
	}
	if c.metadata, err = metadata.NewForConfig(c.config); err != nil {
		t.Fatal(err)
	}
	if c.discovery, err = discovery.NewDiscoveryClientForConfig(c.config); err != nil {
		t.Fatal(err)
	}
	await(t, "the API server is ready", func(ctx context.Context) error {
		return c.discovery.RESTClient().Get().AbsPath("/readyz").Do(ctx).Error()
	})
	c.discover(t)
	c.install(t)
	for _, namespace := range namespaces {
		labels := map[string]string{}
		for _, mode := range []string{"enforce", "warn", "audit"} {
			labels["pod-security.kubernetes.io/"+mode] = "restricted"
		}
		c.apply(t, mustObject(t, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace, Labels: labels}}))
		// There is no controller that makes it.
		c.apply(t, mustObject(t, &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: "default", Namespace: namespace}}))
	}
	return c
}

// startServer runs a program until the test ends. Its log is shown if that fails.
func startServer(t *testing.T, name string, args ...string) {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	server := exec.CommandContext(ctx, program(t, name), args...)
	server.Cancel = func() error { return server.Process.Signal(os.Interrupt) }
	server.WaitDelay = 10 * time.Second
	var output bytes.Buffer
	server.Stdout, server.Stderr = &output, &output
	if err := server.Start(); err != nil {
		t.Fatalf("%v; run make test-deploy", err)
	}
	t.Cleanup(func() {
		stop()
		_ = server.Wait() // it was interrupted
		if t.Failed() {
			t.Logf("%s:\n%s", name, tail(output.String(), 20))
		}
	})
}

func tail(text string, lines int) string {
	all := strings.Split(strings.TrimSpace(text), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}

// freeAddress has a port below those that systems give to connections, of which an
// API server that starts makes many, and to listeners on port 0.
func freeAddress(t *testing.T) string {
	t.Helper()
	var err error
	for range 100 {
		address := fmt.Sprintf("127.0.0.1:%d", 10_000+rand.IntN(22_000)) //nolint:gosec // nobody is to be kept from guessing it
		var listener net.Listener
		if listener, err = new(net.ListenConfig).Listen(t.Context(), "tcp", address); err == nil {
			_ = listener.Close()
			return address
		}
	}
	t.Fatal(err)
	return ""
}

func await(t *testing.T, what string, check func(context.Context) error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), startup)
	defer cancel()
	for {
		err := check(ctx)
		if err == nil {
			return
		}
		select {
		case <-ctx.Done():
			t.Fatalf("not in %s: %s: %v", startup, what, err)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// passing are resources that the API server itself writes at any time, and
// deprecated ones.
var passing = []string{"events", "leases", "componentstatuses", "endpoints"}

// discover learns which resources there are.
func (c *cluster) discover(t *testing.T) {
	t.Helper()
	groups, err := restmapper.GetAPIGroupResources(c.discovery)
	if err != nil {
		t.Fatal(err)
	}
	c.mapper = restmapper.NewDiscoveryRESTMapper(groups)
	lists, err := c.discovery.ServerPreferredResources()
	if err != nil {
		t.Fatal(err)
	}
	c.resources = nil
	for _, list := range lists {
		version, err := schema.ParseGroupVersion(list.GroupVersion)
		if err != nil {
			t.Fatal(err)
		}
		for _, resource := range list.APIResources {
			if slices.Contains(resource.Verbs, "list") && !slices.Contains(passing, resource.Name) {
				c.resources = append(c.resources, version.WithResource(resource.Name))
			}
		}
	}
}

// install adds the resources of the Prometheus operator and the Gateway API, whose
// modules are in tools/kubernetes/go.mod.
func (c *cluster) install(t *testing.T) {
	t.Helper()
	for _, source := range []struct{ module, dir, pattern string }{
		{"github.com/prometheus-operator/prometheus-operator", "example/prometheus-operator-crd", "*.yaml"},
		{"sigs.k8s.io/gateway-api", "config/crd/standard", "*_httproutes.yaml"},
	} {
		command := exec.CommandContext(t.Context(), "go", "-C", "../kubernetes", "mod", "download", "-json", source.module)
		text, err := command.Output()
		var module struct{ Dir string }
		if err != nil || json.Unmarshal(text, &module) != nil {
			t.Fatalf("%v: %v %s", command, err, text)
		}
		files, err := filepath.Glob(filepath.Join(module.Dir, source.dir, source.pattern))
		if err != nil || len(files) == 0 {
			t.Fatalf("no resources in %s of %s: %v", source.dir, source.module, err)
		}
		for _, file := range files {
			content, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for _, object := range parse(t, string(content)) {
				c.apply(t, object)
			}
		}
	}
	await(t, "the resources are served", func(context.Context) error {
		for group, names := range map[string][]string{
			"monitoring.coreos.com/v1":     {"servicemonitors", "podmonitors", "prometheusrules"},
			"gateway.networking.k8s.io/v1": {"httproutes"},
		} {
			served, err := c.discovery.ServerResourcesForGroupVersion(group)
			if err != nil {
				return err
			}
			for _, name := range names {
				if !slices.ContainsFunc(served.APIResources, func(resource metav1.APIResource) bool { return resource.Name == name }) {
					return fmt.Errorf("no %s", name)
				}
			}
		}
		return nil
	})
	c.discover(t)
}

func parse(t *testing.T, manifest string) (found []*unstructured.Unstructured) {
	t.Helper()
	for _, document := range documents(manifest) {
		object := &unstructured.Unstructured{}
		if err := yaml.Unmarshal([]byte(document), &object.Object); err != nil {
			t.Fatalf("%v in\n%s", err, document)
		}
		found = append(found, object)
	}
	return found
}

func mustObject(t *testing.T, object runtime.Object) *unstructured.Unstructured {
	t.Helper()
	kinds, _, err := scheme.Scheme.ObjectKinds(object)
	if err != nil {
		t.Fatal(err)
	}
	fields, err := runtime.DefaultUnstructuredConverter.ToUnstructured(object)
	if err != nil {
		t.Fatal(err)
	}
	u := &unstructured.Unstructured{Object: fields}
	u.SetGroupVersionKind(kinds[0])
	unstructured.RemoveNestedField(u.Object, "status")
	return u
}

func (c *cluster) resource(t *testing.T, object *unstructured.Unstructured) dynamic.ResourceInterface {
	t.Helper()
	kind := object.GroupVersionKind()
	mapping, err := c.mapper.RESTMapping(kind.GroupKind(), kind.Version)
	if err != nil {
		t.Fatal(err)
	}
	if mapping.Scope.Name() == meta.RESTScopeNameNamespace {
		return c.dynamic.Resource(mapping.Resource).Namespace(object.GetNamespace())
	}
	return c.dynamic.Resource(mapping.Resource)
}

// apply is kubectl apply --server-side --validate=strict.
func (c *cluster) apply(t *testing.T, object *unstructured.Unstructured) {
	t.Helper()
	if err := c.tryApply(t, object); err != nil {
		t.Errorf("%s %s: %v", object.GetKind(), object.GetName(), err)
	}
}

func (c *cluster) tryApply(t *testing.T, object *unstructured.Unstructured, dryRun ...string) error {
	t.Helper()
	content, err := object.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.resource(t, object).Patch(t.Context(), object.GetName(), types.ApplyPatchType, content, metav1.PatchOptions{
		FieldManager: "deploycheck", FieldValidation: metav1.FieldValidationStrict, DryRun: dryRun,
	})
	return err
}

// podOf is a pod of a Deployment or StatefulSet.
func podOf(t *testing.T, object *unstructured.Unstructured) *unstructured.Unstructured {
	t.Helper()
	template, found, err := unstructured.NestedMap(object.Object, "spec", "template")
	if err != nil || !found {
		t.Fatalf("%s has no template: %v", object.GetName(), err)
	}
	pod := &unstructured.Unstructured{Object: template}
	pod.SetAPIVersion("v1")
	pod.SetKind("Pod")
	pod.SetName(object.GetName() + "-0")
	pod.SetNamespace(object.GetNamespace())
	return pod
}

// admit asks for the pods that the controllers would make.
func (c *cluster) admit(t *testing.T, objects []*unstructured.Unstructured) {
	t.Helper()
	for _, object := range objects {
		if kind := object.GetKind(); kind != "Deployment" && kind != "StatefulSet" {
			continue
		}
		if err := c.tryApply(t, podOf(t, object), metav1.DryRunAll); err != nil {
			t.Errorf("pod of %s %s: %v", object.GetKind(), object.GetName(), err)
		}
	}
}

func key(object *unstructured.Unstructured) string {
	return object.GroupVersionKind().GroupKind().String() + " " + object.GetNamespace() + "/" + object.GetName()
}

func (c *cluster) remove(t *testing.T, objects []*unstructured.Unstructured) {
	t.Helper()
	for _, object := range objects {
		if err := c.resource(t, object).Delete(t.Context(), object.GetName(), metav1.DeleteOptions{}); err != nil {
			t.Errorf("delete %s: %v", key(object), err)
		}
	}
}

// contents are all objects of the cluster.
func (c *cluster) contents(t *testing.T) (found []string) {
	t.Helper()
	lists := make([]*metav1.PartialObjectMetadataList, len(c.resources))
	errs := make([]error, len(c.resources))
	var wg sync.WaitGroup
	for i, resource := range c.resources {
		wg.Go(func() { lists[i], errs[i] = c.metadata.Resource(resource).List(t.Context(), metav1.ListOptions{}) })
	}
	wg.Wait()
	for i, resource := range c.resources {
		if errs[i] != nil {
			t.Fatalf("%s: %v", resource, errs[i])
		}
		for _, item := range lists[i].Items {
			found = append(found, resource.GroupResource().String()+" "+item.Namespace+"/"+item.Name)
		}
	}
	slices.Sort(found)
	return found
}

// unchanged fails if the cluster has other objects than before, or has warned.
func (c *cluster) unchanged(t *testing.T, before []string) {
	t.Helper()
	after := c.contents(t)
	for _, object := range after {
		if _, was := slices.BinarySearch(before, object); !was {
			t.Errorf("left: %s", object)
		}
	}
	for _, object := range before {
		if _, is := slices.BinarySearch(after, object); !is {
			t.Errorf("gone: %s", object)
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, warning := range c.warnings {
		t.Errorf("warning: %s", warning)
	}
	c.warnings = nil
}

// upgrade applies one manifest and then another over it, as an upgrade does, and
// deletes what is there in the end.
func (c *cluster) upgrade(t *testing.T, from, to string) {
	t.Helper()
	before := c.contents(t)
	if len(before) < 50 {
		t.Fatalf("%d objects in the cluster", len(before))
	}
	old, next := parse(t, from), parse(t, to)
	for _, object := range slices.Concat(old, next) {
		if object.GetNamespace() == "" { // as kubectl's --namespace
			object.SetNamespace(releaseNamespace)
		}
		c.apply(t, object)
	}
	c.admit(t, next)
	// A second time changes nothing, and fails for nothing.
	for _, object := range next {
		c.apply(t, object)
	}
	wanted := map[string]bool{}
	for _, object := range next {
		wanted[key(object)] = true
	}
	c.remove(t, slices.DeleteFunc(old, func(object *unstructured.Unstructured) bool { return wanted[key(object)] }))
	if got := len(c.contents(t)); got < len(before)+len(next) {
		t.Errorf("%d objects of %d are there", got-len(before), len(next))
	}
	c.remove(t, next)
	c.unchanged(t, before)
}

// helm runs install, upgrade and uninstall as Helm does it.
func (c *cluster) helm(t *testing.T, v values) {
	t.Helper()
	before := c.contents(t)
	namespace, insecure := releaseNamespace, false
	flags := genericclioptions.NewConfigFlags(false)
	flags.Namespace, flags.APIServer, flags.BearerToken, flags.CAFile, flags.Insecure = &namespace, &c.config.Host, &c.token, &c.certs, &insecure
	var configuration action.Configuration
	if err := configuration.Init(flags, releaseNamespace, "secret", func(string, ...any) {}); err != nil {
		t.Fatal(err)
	}
	chart, err := loader.LoadDir(chartDir)
	if err != nil {
		t.Fatal(err)
	}
	install := action.NewInstall(&configuration)
	install.ReleaseName, install.Namespace = releaseName, releaseNamespace
	if _, err := install.RunWithContext(t.Context(), chart, values{}); err != nil {
		t.Fatalf("install: %v", err)
	}
	upgrade := action.NewUpgrade(&configuration)
	upgrade.Namespace = releaseNamespace
	if _, err := upgrade.RunWithContext(t.Context(), releaseName, chart, v); err != nil {
		t.Errorf("upgrade: %v", err)
	}
	if _, err := upgrade.RunWithContext(t.Context(), releaseName, chart, values{}); err != nil {
		t.Errorf("upgrade back to the defaults: %v", err)
	}
	if _, err := action.NewUninstall(&configuration).Run(releaseName); err != nil {
		t.Errorf("uninstall: %v", err)
	}
	c.unchanged(t, before)
}

// TestCluster applies every values file and every kustomization to a real API
// server, in namespaces that enforce the restricted Pod Security Standard.
func TestCluster(t *testing.T) {
	c := startCluster(t)
	byDefault, err := render(t, values{})
	if err != nil {
		t.Fatal(err)
	}
	for name, v := range valueSets(t) {
		t.Run("values "+name, func(t *testing.T) {
			manifest, err := render(t, v)
			if err != nil {
				t.Fatal(err)
			}
			c.upgrade(t, byDefault, manifest)
		})
		t.Run("helm "+name, func(t *testing.T) { c.helm(t, v) })
	}
	base := kustomize(t, filepath.Join(kubernetesDir, "base"))
	for _, dir := range kustomizations(t) {
		t.Run("kustomization "+filepath.Base(dir), func(t *testing.T) {
			c.upgrade(t, base, kustomize(t, dir))
		})
	}
	t.Run("refuses", func(t *testing.T) {
		before := c.contents(t)
		deployment := func() *unstructured.Unstructured {
			for _, object := range parse(t, byDefault) {
				if object.GetKind() == "Deployment" {
					return object
				}
			}
			t.Fatal("no Deployment")
			return nil
		}
		pod := podOf(t, deployment())
		unstructured.RemoveNestedField(pod.Object, "spec", "securityContext")
		unstructured.RemoveNestedField(pod.Object, "spec", "serviceAccountName")
		if err := c.tryApply(t, pod, metav1.DryRunAll); !apierrors.IsForbidden(err) || !strings.Contains(err.Error(), "PodSecurity") {
			t.Errorf("a pod that may run as root: %v", err)
		}
		misspelt := deployment()
		if err := unstructured.SetNestedField(misspelt.Object, int64(1), "spec", "replica"); err != nil {
			t.Fatal(err)
		}
		if err := c.tryApply(t, misspelt, metav1.DryRunAll); err == nil || !strings.Contains(err.Error(), "replica") {
			t.Errorf("a misspelt field: %v", err)
		}
		c.unchanged(t, before)
	})
}
