/** Reads what the sources import, for tests about the shape of the project. */
import fs from 'node:fs';
import path from 'node:path';
import ts from 'typescript';

export const ROOT = path.resolve(__dirname, '../..');

export interface SourceImport {
  /** Relative to the repository, forward slashes: `src/venues/http.ts`. */
  readonly file: string;
  /** As written: a package, `node:…`, or the imported file relative to the repository without its ending. */
  readonly target: string;
  /** True when nothing of it is left at run time. */
  readonly typeOnly: boolean;
}

/** Every file below a folder whose name ends so, relative to the repository; what tools generate is left out. */
export function filesBelow(folder: string, endings: readonly string[]): string[] {
  const absolute = path.join(ROOT, folder);
  if (!fs.existsSync(absolute)) return [];
  return fs.readdirSync(absolute, { withFileTypes: true }).flatMap((entry) => {
    const name = `${folder}/${entry.name}`;
    if (entry.isDirectory()) return entry.name === 'node_modules' ? [] : filesBelow(name, endings);
    return endings.some((ending) => entry.name.endsWith(ending)) ? [name] : [];
  });
}

export function readSource(file: string): string {
  return fs.readFileSync(path.join(ROOT, file), 'utf8');
}

/** Imports, re-exports, `import()` and `require()` of one file. */
export function importsOf(file: string, source: string): SourceImport[] {
  const found: SourceImport[] = [];
  const add = (specifier: ts.Node | undefined, typeOnly: boolean): void => {
    if (specifier !== undefined && ts.isStringLiteralLike(specifier)) found.push({ file, target: targetOf(file, specifier.text), typeOnly });
  };
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node)) add(node.moduleSpecifier, isTypeOnlyImport(node));
    else if (ts.isExportDeclaration(node)) add(node.moduleSpecifier, node.isTypeOnly);
    else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) add(node.argument.literal, true);
    else if (ts.isCallExpression(node) && (node.expression.kind === ts.SyntaxKind.ImportKeyword || (ts.isIdentifier(node.expression) && node.expression.text === 'require'))) add(node.arguments[0], false);
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile(file, source, ts.ScriptTarget.Latest, true));
  return found;
}

/** Reads of the process's environment, as code rather than in comments: `process.env`, `process['env']`, `{ env } = process`. */
export function readsEnvironment(file: string, source: string): boolean {
  let reads = false;
  const isProcess = (node: ts.Expression | undefined): boolean => node !== undefined && ts.isIdentifier(node) && node.text === 'process';
  const visit = (node: ts.Node): void => {
    if (ts.isPropertyAccessExpression(node) && isProcess(node.expression) && node.name.text === 'env') reads = true;
    if (ts.isElementAccessExpression(node) && isProcess(node.expression)) reads = true;
    if (ts.isVariableDeclaration(node) && ts.isObjectBindingPattern(node.name) && isProcess(node.initializer)) reads = true;
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile(file, source, ts.ScriptTarget.Latest, true));
  return reads;
}

/** What a module keeps between two calls, as it is written: `let`, `var`, and containers that are empty until somebody fills them. */
export function moduleState(file: string, source: string): string[] {
  const isEmpty = (node: ts.Expression | undefined): boolean =>
    node !== undefined &&
    ((ts.isNewExpression(node) && ts.isIdentifier(node.expression) && /^(Weak)?(Map|Set)$/.test(node.expression.text) && (node.arguments?.length ?? 0) === 0) ||
      (ts.isArrayLiteralExpression(node) && node.elements.length === 0) ||
      (ts.isObjectLiteralExpression(node) && node.properties.length === 0));
  const { statements } = ts.createSourceFile(file, source, ts.ScriptTarget.Latest, true);
  return statements.filter(ts.isVariableStatement).flatMap(({ declarationList }) =>
    declarationList.declarations
      .filter(({ initializer }) => (declarationList.flags & ts.NodeFlags.Const) === 0 || isEmpty(initializer))
      .map((declaration) => `${file}: ${declaration.getText()}`),
  );
}

function isTypeOnlyImport(node: ts.ImportDeclaration): boolean {
  const clause = node.importClause;
  if (clause === undefined) return false;
  if (clause.isTypeOnly) return true;
  const { namedBindings } = clause;
  return clause.name === undefined && namedBindings !== undefined && ts.isNamedImports(namedBindings) && namedBindings.elements.length > 0 && namedBindings.elements.every((element) => element.isTypeOnly);
}

function targetOf(file: string, specifier: string): string {
  return specifier.startsWith('.') ? path.posix.normalize(path.posix.join(path.posix.dirname(file), specifier)) : specifier;
}
