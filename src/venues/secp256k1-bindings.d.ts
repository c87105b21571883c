/** The native half of the npm package secp256k1; its main file falls back to a slow one in silence. */
declare module 'secp256k1/bindings' {
  import secp256k1 = require('secp256k1');
  export = secp256k1;
}
