/**
 * Runs the domain's own source text on symbolic numbers.
 *
 * What is proved must be the program in use, not a copy of it. So the TypeScript files of
 * verifier/domain are parsed and interpreted here, with formulas in place of numbers: both sides of
 * a branch are run and their effects merged, loops are unrolled while their condition is a known
 * truth, and arrays are words of formulas at known indices. The folder keeps to a small part of the
 * language (numbers, booleans, Int32Array, functions), and anything else throws here.
 */
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { parseAst } from 'rolldown/parseAst';
import type { Algebra, BooleanValue, NumberValue } from './symbols.ts';

/** A syntax tree node: the parser's types are too wide to be of help here. */
// biome-ignore lint/suspicious/noExplicitAny: ESTree is navigated by its `type` fields
type Node = any;

interface ArrayValue {
  readonly kind: 'array';
  readonly id: number;
}
interface FunctionValue {
  readonly kind: 'function';
  readonly parameters: readonly string[];
  readonly body: Node;
  readonly scope: Scope;
}
/** A contract in place of a function: takes the arguments and the words of all arrays. */
export interface Contract {
  readonly kind: 'contract';
  readonly apply: (values: readonly Value[], words: (array: Value) => NumberValue[]) => Value;
}
export type Value = NumberValue | BooleanValue | ArrayValue | FunctionValue | Contract | undefined;
type Scope = Map<string, Value>;
type Memory = Map<number, NumberValue[]>;

interface State {
  readonly locals: Map<string, Value>;
  memory: Memory;
}

/** How a run of statements ended: whether it returned, and what. */
interface Outcome {
  readonly value: Value;
  readonly memory: Memory;
}

const copyMemory = (memory: Memory): Memory =>
  new Map([...memory].map(([id, words]) => [id, [...words]]));

export class Executor {
  readonly algebra: Algebra;
  readonly #folder: string;
  readonly #modules = new Map<string, Scope>();
  #memory: Memory = new Map();

  constructor(algebra: Algebra, folder: string) {
    this.algebra = algebra;
    this.#folder = folder;
  }

  /** A new Int32Array with these words. */
  newArray(words: readonly NumberValue[]): ArrayValue {
    const id = this.#memory.size;
    this.#memory.set(id, [...words]);
    return { kind: 'array', id };
  }

  /** The words of an array after what has run so far. */
  words(array: ArrayValue): readonly NumberValue[] {
    return this.#memory.get(array.id)!;
  }

  /** Makes sure that a file is read, so that contracts reach its imports. */
  load(file: string): void {
    this.#module(file);
  }

  /** Array of a module by name: its scratch space. */
  array(file: string, name: string): ArrayValue {
    return this.#module(file).get(name) as ArrayValue;
  }

  /** From here on, calls of the function do what the contract says. */
  replace(file: string, name: string, apply: Contract['apply']): void {
    const scope = this.#module(file);
    if (!isFunction(scope.get(name))) throw new Error(`${file} has no function ${name}`);
    const contract: Contract = { kind: 'contract', apply };
    for (const other of this.#modules.values()) {
      if (other === scope || other.get(name) === scope.get(name)) other.set(name, contract);
    }
    scope.set(name, contract);
  }

  /** Calls an exported or private function of a file; effects stay. */
  call(file: string, name: string, ...values: Value[]): Value {
    const target = this.#module(file).get(name);
    if (!isFunction(target)) throw new Error(`${file} has no function ${name}`);
    const outcome = this.#invoke(target, values, this.#memory);
    this.#memory = outcome.memory;
    return outcome.value;
  }

  #module(file: string): Scope {
    const known = this.#modules.get(file);
    if (known) return known;
    const scope: Scope = new Map();
    this.#modules.set(file, scope);
    const source = readFileSync(`${this.#folder}/${file}`, 'utf8');
    for (const node of (parseAst(source, { lang: 'ts' }) as Node).body) this.#declare(node, scope);
    return scope;
  }

  #declare(node: Node, scope: Scope): void {
    const declaration = node.type === 'ExportNamedDeclaration' ? node.declaration : node;
    switch (declaration?.type) {
      case 'ImportDeclaration':
        this.#import(declaration, scope);
        return;
      case 'FunctionDeclaration':
        scope.set(declaration.id.name, closure(declaration, scope));
        return;
      case 'VariableDeclaration': {
        const state = { locals: scope, memory: this.#memory };
        for (const { id, init } of declaration.declarations) {
          const value = this.#constant(init, state);
          if (value !== undefined) scope.set(id.name, value);
        }
      }
    }
  }

  /** Tables that need other syntax (dispatch by name) stay undefined: using one throws. */
  #constant(init: Node, state: State): Value {
    const plain = ['Literal', 'UnaryExpression', 'BinaryExpression', 'NewExpression', 'Identifier'];
    if (init.type === 'ArrowFunctionExpression') return closure(init, state.locals);
    if (!plain.includes(init.type) || (init.type === 'NewExpression' && !isInt32Array(init))) {
      return undefined;
    }
    return this.#evaluate(init, state);
  }

  #import(declaration: Node, scope: Scope): void {
    const path: string = declaration.source.value;
    if (declaration.importKind === 'type' || !path.startsWith('./')) return;
    const from = this.#module(basename(path));
    for (const specifier of declaration.specifiers) {
      scope.set(specifier.local.name, from.get(specifier.imported.name));
    }
  }

  #invoke(target: FunctionValue, values: readonly Value[], memory: Memory): Outcome {
    const locals = new Map(target.scope);
    target.parameters.forEach((name, i) => {
      locals.set(name, values[i]);
    });
    const state = { locals, memory };
    if (target.body.type !== 'BlockStatement') {
      const value = this.#evaluate(target.body, state);
      return { value, memory: state.memory };
    }
    return this.#run(target.body.body, 0, state);
  }

  /** Runs statements from index `i`; a branch that may return takes the rest into both sides. */
  #run(statements: readonly Node[], i: number, state: State): Outcome {
    if (i === statements.length) return { value: undefined, memory: state.memory };
    const node = statements[i];
    const rest = (more: readonly Node[]) => [...more, ...statements.slice(i + 1)];
    switch (node.type) {
      case 'ReturnStatement': {
        const value = node.argument ? this.#evaluate(node.argument, state) : undefined;
        return { value, memory: state.memory };
      }
      case 'BlockStatement':
        return this.#run(rest(node.body), 0, state);
      case 'IfStatement':
        return this.#branch(node, rest, state);
      case 'ForStatement':
        return this.#run(rest([node.init, { ...node, type: 'Loop' }]), 0, state);
      case 'Loop': {
        if (this.#evaluate(node.test, state) !== true) return this.#run(rest([]), 0, state);
        const update = { type: 'ExpressionStatement', expression: node.update };
        return this.#run(rest([node.body, update, node]), 0, state);
      }
      case 'SwitchStatement':
        return this.#run(rest(this.#chosen(node, state)), 0, state);
      case 'VariableDeclaration':
        for (const { id, init } of node.declarations) {
          state.locals.set(id.name, init ? this.#evaluate(init, state) : undefined);
        }
        return this.#run(statements, i + 1, state);
      case 'ExpressionStatement':
        this.#evaluate(node.expression, state);
        return this.#run(statements, i + 1, state);
      default:
        throw new Error(`statement ${node.type} is outside the provable language`);
    }
  }

  /** Statements of the case that a known value selects; each case is expected to return. */
  #chosen(node: Node, state: State): readonly Node[] {
    const value = this.#evaluate(node.discriminant, state);
    if (typeof value !== 'number') throw new Error('switch over an unknown number');
    const cases: Node[] = node.cases;
    const found = cases.find((one) => one.test && this.#evaluate(one.test, state) === value);
    return (found ?? cases.find((one) => !one.test)).consequent;
  }

  #branch(node: Node, rest: (more: readonly Node[]) => readonly Node[], state: State): Outcome {
    const condition = this.#truth(node.test, state);
    const taken = [node.consequent];
    const other = node.alternate ? [node.alternate] : [];
    if (condition === true) return this.#run(rest(taken), 0, state);
    if (condition === false) return this.#run(rest(other), 0, state);
    const formula = condition.formula;
    const fork = (): State => ({
      locals: new Map(state.locals),
      memory: copyMemory(state.memory),
    });
    const [yes, no] = [fork(), fork()];
    if (mayReturn(node)) {
      const a = this.#run(rest(taken), 0, yes);
      const b = this.#run(rest(other), 0, no);
      const memory = this.#mergeMemory(formula, a.memory, b.memory);
      return { value: this.#merge(formula, a.value, b.value), memory };
    }
    yes.memory = this.#run(taken, 0, yes).memory;
    no.memory = this.#run(other, 0, no).memory;
    state.memory = this.#mergeMemory(formula, yes.memory, no.memory);
    for (const [name, value] of state.locals) {
      const [x, y] = [yes.locals.get(name), no.locals.get(name)];
      if (x !== value || y !== value) state.locals.set(name, this.#merge(formula, x, y));
    }
    return this.#run(rest([]), 0, state);
  }

  #merge(condition: BooleanFormula, x: Value, y: Value): Value {
    if (x === y) return x;
    if (isNumber(x) && isNumber(y)) return this.algebra.choose(condition, x, y);
    if (isBoolean(x) && isBoolean(y)) return this.algebra.chooseTruth(condition, x, y);
    throw new Error('branches leave values of different kinds');
  }

  #mergeMemory(condition: BooleanFormula, x: Memory, y: Memory): Memory {
    return new Map(
      [...x].map(([id, words]) => {
        const others = y.get(id)!;
        return [id, words.map((word, i) => this.algebra.choose(condition, word, others[i]!))];
      }),
    );
  }

  #number(node: Node, state: State): NumberValue {
    const value = this.#evaluate(node, state);
    if (!isNumber(value)) throw new Error(`${node.type} is not a number`);
    return value;
  }

  #truth(node: Node, state: State): BooleanValue {
    const value = this.#evaluate(node, state);
    if (!isBoolean(value)) throw new Error(`${node.type} is not a boolean`);
    return value;
  }

  #evaluate(node: Node, state: State): Value {
    switch (node.type) {
      case 'Literal':
        return node.value;
      case 'Identifier':
        return state.locals.get(node.name);
      case 'TSNonNullExpression':
      case 'TSAsExpression':
        return this.#evaluate(node.expression, state);
      case 'ParenthesizedExpression':
        return this.#evaluate(node.expression, state);
      case 'UnaryExpression':
        return this.#unary(node, state);
      case 'BinaryExpression':
        return this.#binary(node.operator, node.left, node.right, state);
      case 'LogicalExpression':
      case 'ConditionalExpression':
        return this.#choice(node, state);
      case 'MemberExpression': {
        return this.#read(node, state);
      }
      case 'AssignmentExpression':
        return this.#assign(node, state);
      case 'UpdateExpression': {
        const before = this.#number(node.argument, state);
        state.locals.set(
          node.argument.name,
          this.algebra.add(before, node.operator === '++' ? 1 : -1),
        );
        return before;
      }
      case 'CallExpression':
        return this.#callExpression(node, state);
      case 'NewExpression':
        return this.#newArray(node, state);
      default:
        throw new Error(`expression ${node.type} is outside the provable language`);
    }
  }

  #newArray(node: Node, state: State): Value {
    const size = this.#number(node.arguments[0], state);
    const id = this.#memory.size;
    this.#memory.set(id, new Array(size as number).fill(0));
    return { kind: 'array', id };
  }

  #unary(node: Node, state: State): Value {
    if (node.operator === '!') return this.algebra.not(this.#truth(node.argument, state));
    const x = this.#number(node.argument, state);
    if (node.operator === '-') return this.algebra.subtract(0, x);
    if (node.operator === '~') return this.algebra.xor(x, -1);
    throw new Error(`operator ${node.operator} is outside the provable language`);
  }

  #binary(operator: string, left: Node, right: Node, state: State): Value {
    const x = this.#evaluate(left, state);
    const y = this.#evaluate(right, state);
    if (operator === '===') return this.#same(x, y);
    if (operator === '!==') return this.algebra.not(this.#same(x, y));
    if (!isNumber(x) || !isNumber(y)) throw new Error(`operands of ${operator} are not numbers`);
    return this.#numeric(operator, x, y);
  }

  #same(x: Value, y: Value): BooleanValue {
    if (isNumber(x) && isNumber(y)) return this.algebra.equal(x, y);
    if (isBoolean(x) && isBoolean(y)) return this.algebra.sameTruth(x, y);
    throw new Error('values of different kinds are compared');
  }

  #numeric(operator: string, x: NumberValue, y: NumberValue): Value {
    const { algebra } = this;
    switch (operator) {
      case '+':
        return algebra.add(x, y);
      case '-':
        return algebra.subtract(x, y);
      case '*':
        return algebra.multiply(x, y);
      case '%':
        return algebra.remainder(x, y);
      case '&':
        return algebra.and(x, y);
      case '|':
        return algebra.or(x, y);
      case '^':
        return algebra.xor(x, y);
      case '<<':
        return algebra.shiftLeft(x, y);
      case '>>':
        return algebra.shiftRight(x, y);
      case '>>>':
        return algebra.shiftRightUnsigned(x, y);
      case '<':
        return algebra.less(x, y);
      case '>':
        return algebra.less(y, x);
      case '<=':
        return algebra.not(algebra.less(y, x));
      case '>=':
        return algebra.not(algebra.less(x, y));
      default:
        throw new Error(`operator ${operator} is outside the provable language`);
    }
  }

  /** `a ? b : c`, `a && b`, `a || b`: the side that is not certain runs on a copy of the memory. */
  #choice(node: Node, state: State): Value {
    const ternary = node.type === 'ConditionalExpression';
    const condition = this.#truth(ternary ? node.test : node.left, state);
    const stop = !ternary && node.operator === '||';
    const yes = ternary ? node.consequent : stop ? undefined : node.right;
    const no = ternary ? node.alternate : stop ? node.right : undefined;
    const side = (branch: Node, short: boolean, on: State): Value =>
      branch ? this.#evaluate(branch, on) : short;
    if (condition === true) return side(yes, true, state);
    if (condition === false) return side(no, false, state);
    const a: State = { locals: state.locals, memory: copyMemory(state.memory) };
    const b: State = { locals: state.locals, memory: copyMemory(state.memory) };
    const x = side(yes, true, a);
    const y = side(no, false, b);
    state.memory = this.#mergeMemory(condition.formula, a.memory, b.memory);
    return this.#merge(condition.formula, x, y);
  }

  /** A word; of several possible ones, the one whose index it is. */
  #read(node: Node, state: State): NumberValue {
    const array = this.#evaluate(node.object, state);
    const index = this.#number(node.property, state);
    if (!isArray(array) || !node.computed) throw new Error('only words can be read');
    const words = state.memory.get(array.id)!;
    if (typeof index === 'number') {
      if (index < 0 || index >= words.length) throw new Error('index outside the array');
      return words[index]!;
    }
    if (index.min < 0 || index.max >= words.length) throw new Error('index outside the array');
    let value = words[index.max]!;
    for (let i = index.max - 1; i >= index.min; i--) {
      const here = this.algebra.formula(this.algebra.equal(index, i));
      value = this.algebra.choose(here, words[i]!, value);
    }
    return value;
  }

  /** The array and index that an assignment changes. */
  #place(node: Node, state: State): readonly [ArrayValue, number] {
    const array = this.#evaluate(node.object, state);
    const index = this.#evaluate(node.property, state);
    if (!isArray(array) || typeof index !== 'number' || !node.computed) {
      throw new Error('an array is indexed by an unknown number');
    }
    if (index < 0 || index >= state.memory.get(array.id)!.length) throw new Error('index outside');
    return [array, index];
  }

  #assign(node: Node, state: State): Value {
    const operator: string = node.operator.slice(0, -1);
    const value = operator
      ? this.#binary(operator, node.left, node.right, state)
      : this.#evaluate(node.right, state);
    if (node.left.type === 'Identifier') {
      if (!state.locals.has(node.left.name)) throw new Error('assignment to an unknown name');
      state.locals.set(node.left.name, value);
      return value;
    }
    const [array, index] = this.#place(node.left, state);
    if (!isNumber(value)) throw new Error('a word must be a number');
    state.memory.get(array.id)![index] = this.algebra.toInt32(value);
    return value;
  }

  #callExpression(node: Node, state: State): Value {
    const { callee } = node;
    if (callee.type === 'MemberExpression') return this.#math(callee.property.name, node, state);
    const target = this.#evaluate(callee, state);
    if (isContract(target)) {
      const values = node.arguments.map((argument: Node) => this.#evaluate(argument, state));
      return target.apply(values, (array) => state.memory.get((array as ArrayValue).id)!);
    }
    if (!isFunction(target)) throw new Error(`${callee.name} is outside the provable language`);
    const values = node.arguments.map((argument: Node) => this.#evaluate(argument, state));
    const outcome = this.#invoke(target, values, state.memory);
    state.memory = outcome.memory;
    return outcome.value;
  }

  #math(name: string, node: Node, state: State): Value {
    const { algebra } = this;
    const [first] = node.arguments;
    if (name === 'floor' && first.type === 'BinaryExpression' && first.operator === '/') {
      return algebra.floorQuotient(
        this.#number(first.left, state),
        this.#number(first.right, state),
      );
    }
    const values: NumberValue[] = node.arguments.map((x: Node) => this.#number(x, state));
    if (name === 'clz32') return algebra.clz32(values[0]!);
    if (name === 'imul') return algebra.imul(values[0]!, values[1]!);
    if (name !== 'min' && name !== 'max') throw new Error(`Math.${name} is outside the language`);
    return values.reduce((best, x) => {
      const better = name === 'min' ? algebra.less(x, best) : algebra.less(best, x);
      if (typeof better === 'boolean') return better ? x : best;
      return algebra.choose(better.formula, x, best);
    });
  }
}

type BooleanFormula = Exclude<BooleanValue, boolean>['formula'];

function closure(node: Node, scope: Scope): FunctionValue {
  const parameters = node.params.map((p: Node) => p.name ?? p.left.name);
  return { kind: 'function', parameters, body: node.body, scope };
}

const kindOf = (x: Value) => (typeof x === 'object' ? x.kind : typeof x);
const isNumber = (x: Value): x is NumberValue => kindOf(x) === 'number';
const isBoolean = (x: Value): x is BooleanValue => kindOf(x) === 'boolean';
const isArray = (x: Value): x is ArrayValue => kindOf(x) === 'array';
const isFunction = (x: Value): x is FunctionValue => kindOf(x) === 'function';
const isContract = (x: Value): x is Contract => kindOf(x) === 'contract';
const isInt32Array = (node: Node) => node.callee.name === 'Int32Array';

/** Whether a statement contains a return of the function it is in. */
function mayReturn(node: Node): boolean {
  if (node === null || typeof node !== 'object') return false;
  if (node.type === 'ReturnStatement') return true;
  return Object.values(node).some((child) =>
    Array.isArray(child) ? child.some(mayReturn) : mayReturn(child),
  );
}
