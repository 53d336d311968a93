// The server's schema as the console uses it: asked for by introspection once, then indexed.

const TYPE_REF = `fragment Ref on __Type { kind name ofType { kind name ofType { kind name ofType {
  kind name ofType { kind name ofType { kind name ofType { kind name } } } } } } }`;

/**
 * The introspection query. `modern` asks for what newer servers know (deprecated arguments, oneOf,
 * repeatable directives); the caller falls back to the plain form when a server refuses it.
 */
export function introspectionQuery(modern) {
  const all = modern ? '(includeDeprecated: true)' : '';
  const deprecation = modern ? 'isDeprecated deprecationReason' : '';
  return `query ConsoleSchema {
  __schema {
    ${modern ? 'description' : ''}
    queryType { name } mutationType { name } subscriptionType { name }
    types {
      kind name description ${modern ? 'isOneOf specifiedByURL' : ''}
      fields(includeDeprecated: true) {
        name description isDeprecated deprecationReason
        args${all} { ...Input }
        type { ...Ref }
      }
      inputFields${all} { ...Input }
      interfaces { name }
      possibleTypes { name }
      enumValues(includeDeprecated: true) { name description isDeprecated deprecationReason }
    }
    directives { name description locations ${modern ? 'isRepeatable' : ''} args${all} { ...Input } }
  }
}
fragment Input on __InputValue { name description defaultValue ${deprecation} type { ...Ref } }
${TYPE_REF}`;
}

/** The named type inside lists and non-nulls. */
export const namedOf = (ref) => (ref?.ofType ? namedOf(ref.ofType) : ref?.name);
/** A type as it is written in the schema language. */
export function typeText(ref) {
  if (!ref) return '?';
  if (ref.kind === 'NON_NULL') return `${typeText(ref.ofType)}!`;
  if (ref.kind === 'LIST') return `[${typeText(ref.ofType)}]`;
  return ref.name;
}
export const isRequired = (arg) => arg.type.kind === 'NON_NULL' && arg.defaultValue == null;
export const nullable = (ref) => (ref?.kind === 'NON_NULL' ? ref.ofType : ref);

const nonNull = (name) => ({ kind: 'NON_NULL', ofType: { kind: 'NAMED', name } });
const byName = (list) => new Map((list ?? []).map((item) => [item.name, item]));

export class Schema {
  constructor({ __schema: data }) {
    this.description = data.description;
    this.roots = { query: data.queryType?.name, mutation: data.mutationType?.name, subscription: data.subscriptionType?.name };
    this.types = byName(data.types);
    this.directives = byName(data.directives);
    for (const type of this.types.values()) {
      type.fieldMap = byName(type.fields ?? type.inputFields);
      for (const field of type.fieldMap.values()) field.argMap = byName(field.args);
    }
    for (const directive of this.directives.values()) directive.argMap = byName(directive.args);
    this.usedBy = null;
  }

  type(name) { return this.types.get(name); }
  root(operation) { return this.type(this.roots[operation]); }
  isComposite(type) { return ['OBJECT', 'INTERFACE', 'UNION'].includes(type?.kind); }

  /** A field of a composite type, the ones every type has included. */
  field(type, name) {
    if (!type) return undefined;
    if (name === '__typename') return { name, type: nonNull('String'), args: [], argMap: new Map(), description: 'The name of this object’s type.' };
    if (type.name === this.roots.query && name === '__schema') {
      return { name, type: nonNull('__Schema'), args: [], argMap: new Map(), description: 'The schema of this server.' };
    }
    if (type.name === this.roots.query && name === '__type') {
      const args = [{ name: 'name', type: nonNull('String'), defaultValue: null }];
      return { name, type: { kind: 'NAMED', name: '__Type' }, args, argMap: byName(args), description: 'One type of the schema, by name.' };
    }
    return type.fieldMap.get(name);
  }

  /** The object types a composite type can turn out to be. */
  possible(type) {
    return type.kind === 'OBJECT' ? [type.name] : (type.possibleTypes ?? []).map((t) => t.name);
  }

  /** Whether a fragment on `a` can ever apply to a `b`. */
  overlap(a, b) {
    const names = new Set(this.possible(a));
    return this.possible(b).some((name) => names.has(name));
  }

  // From a parsed document's nodes to types.

  typeOfSet(set) {
    const owner = set.parent;
    if (owner.kind === 'Operation') return this.root(owner.operation);
    if (owner.kind === 'Fragment') return this.type(owner.condition?.text);
    if (owner.kind === 'Inline') return owner.condition ? this.type(owner.condition.text) : this.typeOfSet(owner.parent);
    return this.type(namedOf(this.fieldOf(owner)?.type));
  }

  fieldOf(node) { return node.name ? this.field(this.typeOfSet(node.parent), node.name.text) : undefined; }

  /** The arguments a field or directive takes. */
  argsOf(owner) {
    return owner.kind === 'Directive' ? this.directives.get(owner.name?.text)?.argMap : this.fieldOf(owner)?.argMap;
  }

  /** The type a value must have, by the node that holds it. */
  inputTypeOf(holder) {
    if (holder.kind === 'Argument') return this.argsOf(holder.parent)?.get(holder.name.text)?.type;
    if (holder.kind === 'ObjectField') return this.inputFields(holder.parent)?.get(holder.name.text)?.type;
    if (holder.kind === 'VariableDefinition') return holder.type;
    if (holder.kind === 'List') {
      const type = nullable(this.inputTypeOf(holder.parent));
      return type?.kind === 'LIST' ? type.ofType : type;
    }
    return undefined;
  }

  /** The fields of the input object an `{ … }` value stands for. */
  inputFields(object) {
    const type = this.type(namedOf(this.inputTypeOf(object.parent)));
    return type?.kind === 'INPUT_OBJECT' ? type.fieldMap : undefined;
  }

  /** Where a type is returned or taken, for “Used by” in the documentation. */
  users(name) {
    if (!this.usedBy) {
      this.usedBy = new Map();
      const note = (used, by) => {
        if (!this.usedBy.has(used)) this.usedBy.set(used, new Map());
        this.usedBy.get(used).set(`${by.type}.${by.field}`, by);
      };
      for (const type of this.types.values()) {
        if (type.name.startsWith('__')) continue;
        for (const field of type.fieldMap.values()) {
          const by = { type: type.name, field: field.name };
          note(namedOf(field.type), by);
          for (const arg of field.args ?? []) note(namedOf(arg.type), by);
        }
      }
    }
    return [...(this.usedBy.get(name)?.values() ?? [])];
  }
}
