using Ernie.Caching;
using Ernie.Testing.Contracts;

namespace Ernie.CachePolicies.Tests.Shipped;

/// <summary>The contract tests for one shipped policy.</summary>
public abstract class ShippedPolicyContract(string name) : CachePolicyContract
{
    // A million over the contract's three seeds.
    protected override int Operations => 333_334;

    protected override ICachePolicy Create(CachePolicyOptions options) => ShippedPolicies.ByName[name](options);
}

public sealed class LruContractTests() : ShippedPolicyContract("lru");

public sealed class S3FifoContractTests() : ShippedPolicyContract("s3-fifo");

public sealed class PriorityContractTests() : ShippedPolicyContract("priority-ttl");

public sealed class TenantQuotaContractTests() : ShippedPolicyContract("tenant-quota");
