// `node scripts/check-deploy.mjs [folder…]`: checks Dockerfile, compose.yaml and the Kubernetes manifests without Docker
// and without a cluster. Prints one line per problem and exits with 1 if there is one.
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, posix } from 'node:path';
import { DCLinter } from 'dclint';
import { parse, parseAllDocuments } from 'yaml';

const require = createRequire(import.meta.url);
// `import` would parse the whole compiler a second time to find its exports.
const ts = require('typescript');

/** The programs need this time after SIGTERM to finish requests in progress. */
const drainSeconds = 10;
const programs = { web: 'The web application', api: 'The API' };
/** Variables that a deployment must set, in addition to those that docs/configuration.md calls required. */
const needed = {
  web: [
    'NODE_ENV',
    'PORT',
    'SESSION_SECRET',
    'SESSION_SALT',
    'ZITADEL_DOMAIN',
    'ZITADEL_CLIENT_ID',
    'ZITADEL_CALLBACK_URL',
    'REDIS_URL',
    'TRUSTED_PROXIES',
    'METRICS_TOKEN',
  ],
  api: ['NODE_ENV', 'APP_PORT', 'IDP_AUTHORITY', 'ZITADEL_API_KEY_FILE', 'IDP_PROJECT_ID', 'METRICS_TOKEN'],
};

const folders = process.argv.length > 2 ? process.argv.slice(2) : ['.'];
const problems = [];
const variables = documentedVariables();
const manifests = folders.flatMap(readManifests);
checkFields(manifests);
for (const folder of folders) {
  const report = (file, problem) => problems.push(`${posix.join(folder, file)}: ${problem}`);
  checkReferences(
    manifests.filter((manifest) => manifest.folder === folder),
    report,
  );
  checkKustomization(folder, report);
  checkCompose(folder, report);
  checkDockerfile(folder, report);
}
for (const problem of problems) console.error(problem);
if (problems.length > 0) process.exitCode = 1;

/** The variables in the tables of docs/configuration.md, by program. */
function documentedVariables() {
  const sections = readFileSync('docs/configuration.md', 'utf8').split(/^## /m);
  return Object.fromEntries(
    Object.entries(programs).map(([program, title]) => {
      const section = sections.find((text) => text.toLowerCase().startsWith(title.toLowerCase())) ?? '';
      const documented = [...section.matchAll(/^\| `(\w+)` .*\| (.*?) \|$/gm)];
      for (const [, name, byDefault] of documented)
        if (byDefault === 'required' && !needed[program].includes(name)) needed[program].push(name);
      return [program, new Set(documented.map(([, name]) => name))];
    }),
  );
}

function readManifests(folder) {
  return readdirSync(join(folder, 'deploy/kubernetes'))
    .filter((name) => name.endsWith('.yaml') && name !== 'kustomization.yaml')
    .flatMap((name) => {
      const file = `deploy/kubernetes/${name}`;
      return parseAllDocuments(readFileSync(join(folder, file), 'utf8')).flatMap((document) => {
        for (const { message } of document.errors)
          problems.push(`${posix.join(folder, file)}: ${message.split('\n')[0]}`);
        const content = document.errors.length > 0 ? null : document.toJS();
        return content ? [{ folder, file, content, ...content, name: content.metadata?.name }] : [];
      });
    });
}

/**
 * Validates values with kubernetes-models, which is generated from the OpenAPI schema of Kubernetes. The schema allows
 * unknown fields, so the TypeScript compiler also checks each manifest against the types, which do not.
 */
function checkFields(all) {
  const known = all.filter(({ folder, file, apiVersion, kind, content }) => {
    const where = `${posix.join(folder, file)}: ${kind}`;
    try {
      const { [kind]: Model } = require(`kubernetes-models/${apiVersion}/${kind}`);
      new Model(content).validate();
      return true;
    } catch (error) {
      const isUnknown = ['MODULE_NOT_FOUND', 'ERR_PACKAGE_PATH_NOT_EXPORTED'].includes(error.code);
      problems.push(`${where}: ${isUnknown ? `not in ${apiVersion} of Kubernetes` : error.message}`);
      return !isUnknown;
    }
  });
  const lines = known.map(
    ({ apiVersion, kind, content }, index) =>
      `export const m${index}: import('kubernetes-models/${apiVersion}/${kind}').I${kind} = ${JSON.stringify(content)};`,
  );
  // inside the repository, so that the compiler finds kubernetes-models
  const scratch = mkdtempSync('node_modules/.check-deploy-');
  const file = join(scratch, 'manifests.ts');
  writeFileSync(file, lines.join('\n'));
  // es5 is enough for the types of Kubernetes and loads faster than the default, which has the DOM
  const compiler = {
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    types: [],
    lib: ['es5'],
    moduleResolution: 'bundler',
  };
  const { options } = ts.convertCompilerOptionsFromJson({ ...compiler, module: 'esnext' }, '.');
  const diagnostics = ts.getPreEmitDiagnostics(ts.createProgram([file], options));
  for (const { file: source, start, messageText } of diagnostics) {
    const manifest = source && known[source.getLineAndCharacterOfPosition(start).line];
    const where = manifest ? `${posix.join(manifest.folder, manifest.file)}: ${manifest.kind}` : 'types';
    problems.push(`${where}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`);
  }
  rmSync(scratch, { recursive: true });
}

/** Checks that no schema makes: names, ports, labels and variables that must agree. */
function checkReferences(all, report) {
  const of = (kind) => all.filter((manifest) => manifest.kind === kind);
  const named = (kind, name) => of(kind).find((manifest) => manifest.name === name);
  const podLabels = (deployment) => deployment.spec?.template?.metadata?.labels ?? {};
  const selects = (selector = {}, labels = {}) =>
    Object.entries(selector).every(([name, value]) => labels[name] === value);
  const deployments = of('Deployment');
  const selected = (selector) => deployments.filter((deployment) => selects(selector, podLabels(deployment)));
  const portsOf = (deployment) =>
    (deployment?.spec?.template?.spec?.containers ?? []).flatMap(({ ports = [] }) => ports);

  for (const manifest of all) {
    if (manifest.content.metadata?.namespace) report(manifest.file, `${manifest.kind} names a namespace`);
    const twins = all.filter(({ kind, name }) => kind === manifest.kind && name === manifest.name);
    if (twins[0] !== manifest) report(manifest.file, `a second ${manifest.kind} ${manifest.name}`);
  }

  for (const deployment of deployments) {
    const { file, name, spec } = deployment;
    const say = (problem) => report(file, `Deployment ${name}: ${problem}`);
    if (!selects(spec?.selector?.matchLabels, podLabels(deployment)))
      say('its selector does not select its pods');
    const pod = spec?.template?.spec ?? {};
    for (const constraint of pod.topologySpreadConstraints ?? [])
      if (!selects(constraint.labelSelector?.matchLabels, podLabels(deployment)))
        say('a topologySpreadConstraint does not select its pods');
    checkHardening(pod, say);
    for (const { secret, configMap } of pod.volumes ?? []) {
      if (secret && !named('Secret', secret.secretName)) say(`no Secret ${secret.secretName}`);
      if (configMap && !named('ConfigMap', configMap.name)) say(`no ConfigMap ${configMap.name}`);
    }
    if (!programs[name]) continue;

    const [container = {}] = pod.containers ?? [];
    const values = {};
    for (const { configMapRef, secretRef } of container.envFrom ?? []) {
      const source = configMapRef ? named('ConfigMap', configMapRef.name) : named('Secret', secretRef?.name);
      if (!source) say(`no ConfigMap or Secret ${(configMapRef ?? secretRef)?.name}`);
      Object.assign(values, source?.content.data, source?.content.stringData);
    }
    for (const variable of needed[name]) if (!(variable in values)) say(`${variable} is missing`);
    for (const variable of Object.keys(values))
      if (!variables[name].has(variable)) say(`${variable} is not in docs/configuration.md`);
    if (values.NODE_ENV !== 'production') say('NODE_ENV is not production');
    const port = portsOf(deployment).find((candidate) => candidate.name === 'http')?.containerPort;
    if (String(port) !== values[name === 'web' ? 'PORT' : 'APP_PORT'])
      say(`port http is ${port}, the program listens on another port`);
    if (name === 'api') checkKeyFile(pod, container, values.ZITADEL_API_KEY_FILE, say);
    const redis = URL.canParse(values.REDIS_URL ?? '') ? new URL(values.REDIS_URL) : undefined;
    const isServed = named('Service', redis?.hostname)?.spec.ports.some(
      (served) => served.port === Number(redis?.port),
    );
    if (redis?.hostname === 'redis' && !isServed) say('REDIS_URL is not the Service redis');

    for (const probe of ['startupProbe', 'livenessProbe', 'readinessProbe']) {
      const { path, port: probed } = container[probe]?.httpGet ?? {};
      if (path !== (probe === 'readinessProbe' ? '/health/ready' : '/health/live'))
        say(`${probe} asks ${path}`);
      if (probed !== 'http') say(`${probe} asks port ${probed}`);
    }
    const sleepSeconds = container.lifecycle?.preStop?.sleep?.seconds ?? 0;
    if ((pod.terminationGracePeriodSeconds ?? 30) <= sleepSeconds + drainSeconds)
      say('terminationGracePeriodSeconds is too short: it is killed before it has finished its requests');
    const scaler = of('HorizontalPodAutoscaler').find((hpa) => hpa.spec?.scaleTargetRef?.name === name);
    if (!(scaler?.spec.minReplicas >= 2 || (spec.replicas >= 2 && !scaler)))
      say('fewer than two pods are possible');
    if (scaler && spec.replicas !== undefined) say('replicas would override the autoscaler');
    const budget = of('PodDisruptionBudget').find((candidate) =>
      selects(candidate.spec?.selector?.matchLabels, podLabels(deployment)),
    );
    if (!budget) say('no PodDisruptionBudget selects it');
  }
  for (const program of Object.keys(programs))
    if (!named('Deployment', program)) report('deploy/kubernetes', `no Deployment ${program}`);

  for (const { file, name, spec } of of('Service')) {
    const [target] = selected(spec?.selector);
    if (!target) report(file, `Service ${name} selects no pods`);
    for (const { targetPort } of target ? (spec?.ports ?? []) : [])
      if (!portsOf(target).some((port) => port.name === targetPort || port.containerPort === targetPort))
        report(file, `Service ${name}: pods of ${target.name} have no port ${targetPort}`);
  }
  for (const { file, name, spec } of of('HorizontalPodAutoscaler')) {
    const { apiVersion, kind, name: target } = spec?.scaleTargetRef ?? {};
    const scaled = named(kind, target);
    if (!scaled || scaled.apiVersion !== apiVersion)
      report(file, `HorizontalPodAutoscaler ${name}: no ${kind} ${target} of ${apiVersion}`);
    const requests = scaled?.spec?.template?.spec?.containers?.map(({ resources }) => resources?.requests);
    for (const { resource } of spec?.metrics ?? [])
      if (!requests?.every((request) => request?.[resource?.name]))
        report(file, `HorizontalPodAutoscaler ${name}: its pods request no ${resource?.name}`);
  }
  for (const { file, name, spec } of of('PodDisruptionBudget'))
    if (selected(spec?.selector?.matchLabels).length !== 1)
      report(file, `PodDisruptionBudget ${name} does not select one Deployment`);
  for (const { file, name, spec } of of('Ingress')) {
    const secured = (spec?.tls ?? []).flatMap(({ hosts = [] }) => hosts);
    for (const { host, http } of spec?.rules ?? []) {
      if (!secured.includes(host)) report(file, `Ingress ${name}: no TLS for ${host}`);
      for (const { backend } of http?.paths ?? []) {
        const { name: service, port } = backend?.service ?? {};
        const ports = named('Service', service)?.spec?.ports ?? [];
        if (!ports.some((served) => served.name === port?.name || served.port === port?.number))
          report(file, `Ingress ${name}: no Service ${service} with port ${port?.name ?? port?.number}`);
      }
    }
  }
  checkPolicies(of('NetworkPolicy'), { deployments, selects, selected, podLabels, portsOf }, report);
}

function checkHardening(pod, say) {
  if (pod.automountServiceAccountToken !== false) say('mounts a service account token');
  const { runAsNonRoot, runAsUser, seccompProfile } = pod.securityContext ?? {};
  if (runAsNonRoot !== true || !(runAsUser > 0)) say('may run as root');
  if (seccompProfile?.type !== 'RuntimeDefault') say('has no seccomp profile');
  for (const { securityContext = {}, resources = {} } of pod.containers ?? []) {
    if (securityContext.readOnlyRootFilesystem !== true) say('its root file system is writable');
    if (securityContext.allowPrivilegeEscalation !== false) say('may gain privileges');
    if (!securityContext.capabilities?.drop?.includes('ALL')) say('keeps capabilities');
    if (!resources.requests?.cpu || !resources.requests?.memory || !resources.limits?.memory)
      say('requests or limits no resources');
  }
}

function checkKeyFile(pod, container, path, say) {
  const mount = container.volumeMounts?.find(({ mountPath }) => path?.startsWith(`${mountPath}/`));
  const volume = pod.volumes?.find(({ name }) => name === mount?.name);
  if (!volume?.secret) return say('ZITADEL_API_KEY_FILE is not in a mounted Secret');
  const secret = manifests.find(({ kind, name }) => kind === 'Secret' && name === volume.secret.secretName);
  if (!(posix.relative(mount.mountPath, path) in (secret?.content.stringData ?? {})))
    say(`the Secret ${volume.secret.secretName} has no key for ZITADEL_API_KEY_FILE`);
}

function checkPolicies(policies, { deployments, selects, selected, podLabels, portsOf }, report) {
  for (const deployment of deployments) {
    const own = policies.filter(({ spec }) =>
      selects(spec?.podSelector?.matchLabels ?? {}, podLabels(deployment)),
    );
    const isDenied = own.some(
      ({ spec }) => spec.policyTypes?.length === 2 && !spec.ingress?.length && !spec.egress?.length,
    );
    if (!isDenied)
      report(deployment.file, `Deployment ${deployment.name}: no NetworkPolicy denies by default`);
  }
  for (const { file, name, spec } of policies) {
    const say = (problem) => report(file, `NetworkPolicy ${name}: ${problem}`);
    const subjects = selected(spec?.podSelector?.matchLabels ?? {});
    if (subjects.length === 0) say('selects no pods');
    const opens = (targets, ports = []) => {
      for (const target of targets)
        for (const { port } of ports)
          if (!portsOf(target).some(({ containerPort }) => containerPort === port))
            say(`pods of ${target.name} have no port ${port}`);
    };
    const peers = (rules = [], direction) =>
      rules.flatMap((rule) => rule[direction]?.map((peer) => ({ ...peer, ports: rule.ports })) ?? []);
    for (const { ports } of spec?.ingress ?? []) opens(subjects, ports);
    for (const peer of [...peers(spec?.ingress, 'from'), ...peers(spec?.egress, 'to')]) {
      if (!peer.podSelector || peer.namespaceSelector) continue;
      const targets = selected(peer.podSelector.matchLabels);
      if (targets.length === 0) say(`a rule selects no pods: ${JSON.stringify(peer.podSelector)}`);
    }
    for (const peer of peers(spec?.egress, 'to'))
      if (peer.podSelector && !peer.namespaceSelector)
        opens(selected(peer.podSelector.matchLabels), peer.ports);
  }
}

/** Kustomize rejects unknown fields; these are the fields used here. */
function checkKustomization(folder, report) {
  const file = 'deploy/kubernetes/kustomization.yaml';
  const { apiVersion, kind, resources = [], images = [], ...unknown } = read(folder, file);
  for (const field of Object.keys(unknown)) report(file, `unknown field ${field}`);
  if (apiVersion !== 'kustomize.config.k8s.io/v1beta1' || kind !== 'Kustomization')
    report(file, 'is no Kustomization');
  const there = readdirSync(join(folder, 'deploy/kubernetes'));
  for (const resource of resources)
    if (!there.includes(resource)) report(file, `no file ${resource}`);
    else if (resource.includes('secret')) report(file, `applies ${resource}`);
  for (const name of there)
    if (![...resources, 'kustomization.yaml', 'secrets.example.yaml'].includes(name))
      report(file, `leaves out ${name}`);
  const used = manifests
    .filter((manifest) => manifest.folder === folder && manifest.kind === 'Deployment')
    .flatMap(({ spec }) => spec?.template?.spec?.containers?.map(({ image }) => image) ?? []);
  for (const { name } of images) if (!used.includes(name)) report(file, `no container has the image ${name}`);
}

function checkCompose(folder, report) {
  const file = 'compose.yaml';
  // dclint validates against the schema of the Compose Specification; its rules about style are disabled.
  const rules = {
    'no-build-and-image': 0,
    'no-quotes-in-volumes': 0,
    'service-dependencies-alphabetical-order': 0,
    'service-image-require-explicit-tag': 0,
    'service-keys-order': 0,
    'service-ports-alphabetical-order': 0,
    'services-alphabetical-order': 0,
    'top-level-properties-order': 0,
  };
  const linter = new DCLinter({ rules, quiet: true, debug: false, exclude: [] });
  for (const { messages } of linter.lintFiles([join(folder, file)], false))
    for (const { message, line } of messages) report(file, `line ${line}: ${message}`);

  const { services = {}, networks = {}, volumes = {}, secrets = {}, configs = {} } = read(folder, file);
  const defined = { networks, volumes, secrets, configs };
  for (const [name, service] of Object.entries(services)) {
    const say = (problem) => report(file, `${name}: ${problem}`);
    for (const other of Object.keys(service.depends_on ?? {}))
      if (!services[other]) say(`depends on ${other}, which does not exist`);
      else if (services[other].profiles && !service.profiles) say(`depends on ${other} of a profile`);
      else if (!services[other].healthcheck) say(`waits for the health of ${other}, which has no check`);
    const names = (list) => (Array.isArray(list) ? list : Object.keys(list ?? {}));
    for (const kind of ['networks', 'secrets', 'configs'])
      for (const entry of names(service[kind]))
        if (!((entry.source ?? entry) in defined[kind]))
          say(`no ${kind.slice(0, -1)} ${entry.source ?? entry}`);
    for (const volume of service.volumes ?? [])
      if (!/^[./]/.test(volume) && !(volume.split(':')[0] in volumes)) say(`no volume ${volume}`);
    for (const value of Object.values(service.environment ?? {})) {
      const other = services[/:\/\/([\w-]+):\d/.exec(value)?.[1]];
      if (other && !names(service.networks).some((network) => names(other.networks).includes(network)))
        say(`shares no network with ${new URL(value).hostname}`);
    }
    if (service.image && !service.build && !/:[\w$]/.test(service.image)) say('its image has no tag');
    if (!service.security_opt?.includes('no-new-privileges:true')) say('may gain privileges');
    if (service.profiles) continue;

    if (service.read_only !== true) say('its root file system is writable');
    if (!service.cap_drop?.includes('ALL')) say('keeps capabilities');
    if (!service.deploy?.resources?.limits?.memory) say('has no memory limit');
    if (!service.restart) say('is not restarted');
    if (!programs[name]) continue;
    for (const variable of needed[name])
      if (!(variable in service.environment)) say(`${variable} is missing`);
    for (const variable of Object.keys(service.environment))
      if (!variables[name].has(variable)) say(`${variable} is not in docs/configuration.md`);
    for (const variable of variables[name])
      // The key file contains these values.
      if (!(variable in service.environment) && !variable.startsWith('IDP_AUTHORIZATION_'))
        say(`${variable} of docs/configuration.md is not passed to it`);
  }
  for (const program of Object.keys(programs)) if (!services[program]) report(file, `no service ${program}`);
}

function checkDockerfile(folder, report) {
  const file = 'Dockerfile';
  const instructions = readFileSync(join(folder, file), 'utf8')
    .replace(/^\s*#.*\n/gm, '')
    .replace(/\\\n\s*/g, '')
    .split('\n')
    .filter(Boolean);
  const stages = [];
  for (const instruction of instructions) {
    const [word, ...args] = instruction.split(/\s+/);
    if (word === 'FROM') stages.push({ name: args[2], base: args[0], instructions: [] });
    else stages.at(-1)?.instructions.push(instruction);
    const from = /--from=(\S+)/.exec(instruction)?.[1];
    if (from && !stages.some(({ name }) => name === from)) report(file, `no stage ${from}`);
  }
  for (const { base } of stages)
    if (!stages.some(({ name }) => name === base) && !/^node:\d+-\w+-slim(@sha256:[\da-f]{64})?$/.test(base))
      report(file, `${base} is not a slim Node.js image with a version`);
  const last = stages.at(-1)?.instructions ?? [];
  const says = (start) => last.filter((instruction) => instruction.startsWith(start)).at(-1);
  if (!/^USER [1-9]\d*(:\d+)?$/.test(says('USER') ?? ''))
    report(file, 'runs as root, or as a user without number');
  if (says('CMD') !== 'CMD ["node", "dist/main.js"]') report(file, 'does not start dist/main.js');
  if (!says('HEALTHCHECK')?.includes('/health/live')) report(file, 'has no health check');
  if (!says('ENV')?.includes('NODE_ENV=production')) report(file, 'is not for production');
  if (says('RUN')) report(file, 'its last stage has a RUN instruction');
  for (const instruction of last)
    if (/^COPY .*sandbox/.test(instruction)) report(file, 'copies the sandbox into the image');
  const allowed = readFileSync(join(folder, '.dockerignore'), 'utf8').split('\n');
  const fromContext = instructions.filter((text) => /^(COPY|ADD) /.test(text) && !text.includes('--from='));
  for (const source of new Set(fromContext.flatMap((text) => text.split(/\s+/).slice(1, -1)))) {
    if (!existsSync(join(folder, source))) report(file, `copies ${source}, which does not exist`);
    if (!allowed.includes(`!${source.split('/')[0]}`)) report('.dockerignore', `leaves out ${source}`);
  }
}

function read(folder, file) {
  try {
    return parse(readFileSync(join(folder, file), 'utf8'), { merge: true }) ?? {};
  } catch (error) {
    problems.push(`${posix.join(folder, file)}: ${error.message.split('\n')[0]}`);
    return {};
  }
}
