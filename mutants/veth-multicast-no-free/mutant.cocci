@@
identifier skb, dev;
@@
veth_xmit(struct sk_buff *skb, struct net_device *dev)
{
...
+ if (is_multicast_ether_addr(((struct ethhdr *)skb->data)->h_dest))
+ 	return NETDEV_TX_OK;
  rcu_read_lock();
...
}
