//! Who talks to whom inside a room: requests and responses between its two members.
//!
//! Deliberately absent: what is in them, and whose signature they carry: the session has verified that.

use thiserror::Error;

use crate::primitives::Address;

/// Which half of a call a frame holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RoomRpc {
    /// `req`: from the Guest to the Host.
    Request,
    /// `res`: from the Host to the Guest.
    Response,
}

/// Why a call inside a room goes to nobody.
///
/// Of several reasons the first in the order of the variants is given.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RoomRpcError {
    /// The sender is no member.
    #[error("{sender} is no member")]
    NotAMember {
        /// Who sent it.
        sender: Address,
    },
    /// The channel has more than two members, so that it has neither Host nor Guest.
    #[error("a channel of {members} members is no room, calls need a host and a guest")]
    NotARoom {
        /// How many members it has.
        members: usize,
    },
    /// The frame holds both halves of a call or none.
    #[error("a call holds either req or res")]
    NeitherRequestNorResponse,
    /// The Host sent a request.
    #[error("the host sends responses only")]
    RequestFromHost,
    /// The Guest sent a response.
    #[error("the guest sends requests only")]
    ResponseFromGuest,
}

impl RoomRpc {
    /// Tells which half a frame holds, by which of the two fields it has.
    ///
    /// # Errors
    /// [`RoomRpcError::NeitherRequestNorResponse`].
    pub fn of_frame(has_req: bool, has_res: bool) -> Result<Self, RoomRpcError> {
        match (has_req, has_res) {
            (true, false) => Ok(Self::Request),
            (false, true) => Ok(Self::Response),
            (true, true) | (false, false) => Err(RoomRpcError::NeitherRequestNorResponse),
        }
    }
}

/// Tells who receives a call that `sender` makes in the channel of these members: the first of them is the
/// Host, the second the Guest.
///
/// # Errors
/// First that applies, in the order of the variants of [`RoomRpcError`].
pub fn route_room_rpc(
    members: &[Address],
    sender: Address,
    has_req: bool,
    has_res: bool,
) -> Result<Address, RoomRpcError> {
    if !members.contains(&sender) {
        return Err(RoomRpcError::NotAMember { sender });
    }
    let [host, guest] = *members else { return Err(RoomRpcError::NotARoom { members: members.len() }) };
    match (RoomRpc::of_frame(has_req, has_res)?, sender == host) {
        (RoomRpc::Request, false) => Ok(host),
        (RoomRpc::Response, true) => Ok(guest),
        (RoomRpc::Request, true) => Err(RoomRpcError::RequestFromHost),
        (RoomRpc::Response, false) => Err(RoomRpcError::ResponseFromGuest),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOST: Address = Address::from_bytes([1; 20]);
    const GUEST: Address = Address::from_bytes([2; 20]);
    const STRANGER: Address = Address::from_bytes([3; 20]);

    #[test]
    fn the_guest_asks_and_the_host_answers() {
        let route = |sender, req, res| route_room_rpc(&[HOST, GUEST], sender, req, res);
        assert_eq!(route(GUEST, true, false), Ok(HOST));
        assert_eq!(route(HOST, false, true), Ok(GUEST));
        assert_eq!(route(HOST, true, false), Err(RoomRpcError::RequestFromHost));
        assert_eq!(route(GUEST, false, true), Err(RoomRpcError::ResponseFromGuest));
    }

    #[test]
    fn a_frame_holds_one_half_of_a_call() {
        for both in [true, false] {
            let error = Err(RoomRpcError::NeitherRequestNorResponse);
            assert_eq!(route_room_rpc(&[HOST, GUEST], HOST, both, both), error);
            assert_eq!(route_room_rpc(&[HOST, GUEST], GUEST, both, both), error);
        }
    }

    #[test]
    fn only_rooms_have_roles() {
        let members = [HOST, GUEST, STRANGER];
        for sender in members {
            let error = Err(RoomRpcError::NotARoom { members: 3 });
            assert_eq!(route_room_rpc(&members, sender, true, true), error);
        }
    }

    #[test]
    fn a_stranger_learns_only_that_it_is_one() {
        let error = Err(RoomRpcError::NotAMember { sender: STRANGER });
        assert_eq!(route_room_rpc(&[HOST, GUEST], STRANGER, true, false), error);
        assert_eq!(route_room_rpc(&[HOST, GUEST, HOST], STRANGER, true, true), error);
    }
}
