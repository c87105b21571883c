// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

import "@openzeppelin/contracts/token/ERC20/ERC20.sol";

/// A token that anybody may mint.
contract SimulatedToken is ERC20 {
    uint8 private immutable places;

    constructor(string memory symbol_, uint8 places_) ERC20(symbol_, symbol_) {
        places = places_;
    }

    function decimals() public view override returns (uint8) {
        return places;
    }

    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }

    /// A bridge that errs may do it in one transaction.
    function mintTwice(address to, uint256 amount) external {
        _mint(to, amount);
        _mint(to, amount);
    }
}

/// Both ends of a bridge. The source takes an allowance, or the chain's own coin; the receiver is in its data.
contract SimulatedBridge {
    /// By hash of the source transaction: whoever runs the bridge may forget what it paid, the chain does not.
    mapping(bytes32 => bool) public isPaid;

    event Paid(bytes32 indexed source);

    function start(address token, uint256 amount, address receiver) external payable {
        require(receiver != address(0), "no receiver");
        if (token == address(0)) require(msg.value == amount, "another value");
        else require(IERC20(token).transferFrom(msg.sender, address(this), amount), "no allowance");
    }

    function pay(bytes32 source, SimulatedToken token, address to, uint256 amount) external {
        require(!isPaid[source], "paid before");
        isPaid[source] = true;
        token.mint(to, amount);
        emit Paid(source);
    }
}
